import type { ServiceDetail } from '@flyball/api';
import { WireWriter } from '@flyball/core';
import { randomBytes } from 'node:crypto';
import type { ApiClient } from './api-client.ts';
import { CliError, EXIT } from './cli-error.ts';

const POLL_MS = 250;
const SERVICE = 'flyball-send-test';

/** What became of a test span, hop by hop, ms. */
export interface TestSpanReport {
  readonly acknowledgedMs: number;
  readonly visibleMs: number;
  readonly service: string;
}

/**
 * Sends one span over OTLP/HTTP and waits until the API shows it.
 *
 * @throws {CliError} with exit code 4 when it did not show within the time: then something is wrong on the way.
 */
export async function sendTest(client: ApiClient, otlpHttp: string, timeoutMs: number): Promise<TestSpanReport> {
  const startedMs = performance.now();
  const before = await spansOf(client);
  const response = await fetch(`${otlpHttp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: testRequest() as Uint8Array<ArrayBuffer>,
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => {
    throw new CliError(`nothing takes OTLP at ${otlpHttp}`, 'is Flyball running? "flyball start" prints its addresses');
  });
  if (!response.ok) throw new CliError(`OTLP was answered with ${response.status}`, 'look at the log of the process');
  const acknowledgedMs = performance.now() - startedMs;
  while (performance.now() - startedMs < timeoutMs) {
    if ((await spansOf(client)) > before)
      return { acknowledgedMs, visibleMs: performance.now() - startedMs, service: SERVICE };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const fix = 'GET /readyz?verbose shows which lane is behind; windows close a window and a grace after their start';
  throw new CliError(`the span was stored, but did not show within ${timeoutMs} ms`, fix, EXIT.insufficient);
}

async function spansOf(client: ApiClient): Promise<number> {
  const found = (await client.services()).find(({ service }) => service === SERVICE);
  if (found === undefined) return 0;
  const detail: ServiceDetail = await client.service(found.id);
  return detail.spans;
}

function testRequest(): Uint8Array {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const attribute = new WireWriter()
    .text(1, 'service.name')
    .bytes(2, new WireWriter().text(1, SERVICE).finish())
    .finish();
  const resource = new WireWriter().bytes(1, attribute).finish();
  const span = new WireWriter().bytes(1, randomBytes(16)).bytes(2, randomBytes(8)).text(5, 'send-test').varint(6, 2);
  span.fixed64(7, nowNs - 1_000_000n).fixed64(8, nowNs);
  const scope = new WireWriter().bytes(2, span.finish()).finish();
  return new WireWriter().bytes(1, new WireWriter().bytes(1, resource).bytes(2, scope).finish()).finish();
}
