import { Client, credentials } from '@grpc/grpc-js';
import { Prng, WireWriter } from '@flyball/core';
import { setTimeout as pause } from 'node:timers/promises';
import { RequestTemplate } from './request-template.ts';

// A child process that sends trace requests over OTLP/gRPC as fast as they are acknowledged, 32 in flight, or at a rate in
// spans/s, and prints what became of them as one line of JSON. Its CPU is not counted.

const [endpoint = '', seconds = '10', kind = 'realistic', spansMax = 'Infinity', rate = 'Infinity'] =
  process.argv.slice(2);
/** Services, and operations of each. */
const SHAPES: Readonly<Record<string, readonly [number, number]>> = {
  realistic: [20, 10],
  tenfold: [200, 10],
  crowd: [1_000, 100],
};
const [services, operations] = SHAPES[kind] ?? [1, 1];
const IN_FLIGHT = 32;
const SPANS = 100;
const client = new Client(endpoint.replace('http://', ''), credentials.createInsecure());
const same = (bytes: Buffer) => bytes;
const counts = { requests: 0, failed: 0, spans: 0 };
const templates: RequestTemplate[] = [];
let turn = 0;
let distinct = 0;

/** A request of the next service in turn, whose spans end now. */
function nextRequest(turn: number): Buffer {
  const seed = turn % services;
  const endMs = Date.now() - 100;
  const template = (templates[seed] ??= new RequestTemplate(SPANS, endMs, seed, operations));
  // A copy: the one before may be on its way still.
  return Buffer.from(template.at(turn, endMs));
}

/** A request whose operations, versions, instances and services were never seen before. */
function distinctRequest(): Buffer {
  const dice = new Prng(distinct);
  const request = new WireWriter();
  const attribute = (key: string, value: string) =>
    new WireWriter().text(1, key).bytes(2, new WireWriter().text(1, value).finish()).finish();
  for (let index = 0; index < SPANS; index += 1) {
    distinct += 1;
    const resource = new WireWriter().bytes(
      1,
      attribute('service.name', distinct % 4 === 0 ? `service-${distinct}` : 'wide'),
    );
    resource
      .bytes(1, attribute('service.version', `v${distinct}`))
      .bytes(1, attribute('service.instance.id', `pod-${distinct}`));
    const endNs = BigInt(Date.now()) * 1_000_000n;
    const id = Uint8Array.from({ length: 16 }, () => 1 + dice.below(255));
    const span = new WireWriter()
      .bytes(1, id)
      .bytes(2, id.subarray(0, 8))
      .text(5, `GET /user/${distinct}`)
      .varint(6, 2);
    span.fixed64(7, endNs - 1_000_000n).fixed64(8, endNs);
    const scope = new WireWriter().bytes(2, span.finish()).finish();
    request.bytes(1, new WireWriter().bytes(1, resource.finish()).bytes(2, scope).finish());
  }
  return Buffer.from(request.finish());
}

function send(body: Buffer): Promise<void> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      same,
      same,
      body,
      (error) => {
        counts.requests += 1;
        if (error === null) counts.spans += SPANS;
        else counts.failed += 1;
        resolve();
      },
    );
  });
}

const startMs = performance.now();
const endMs = startMs + Number(seconds) * 1_000;
await Promise.all(
  Array.from({ length: IN_FLIGHT }, async () => {
    while (performance.now() < endMs && counts.spans < Number(spansMax)) {
      const dueMs = startMs + (turn * SPANS * 1_000) / Number(rate);
      turn += 1;
      if (dueMs > performance.now()) await pause(dueMs - performance.now());
      await send(kind === 'distinct' ? distinctRequest() : nextRequest(turn));
    }
  }),
);
client.close();
process.stdout.write(`${JSON.stringify({ ...counts, distinct })}\n`);
