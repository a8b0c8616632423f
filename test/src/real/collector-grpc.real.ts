import {
  FlyballProcess,
  type MissingPart,
  type RealPart,
  skippable,
  startCollector,
  traceRequest,
} from '@flyball/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

// Goal: who has a Collector adds an exporter and nothing else. Method: a real Collector (its gRPC client is that of Go) sends to
// the real process, however it compresses; every span is counted, on connections that are used again.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const REQUESTS = 20;
const SPANS = 500;
const dir = mkdtempSync(join(tmpdir(), 'flyball-collector-grpc-'));
const exporterTo = (url: string, compression: string) => ({
  otlp: { endpoint: new URL(url).host, tls: { insecure: true }, compression },
});
const probe = await startCollector(join(dir, 'probe'), {
  exporters: exporterTo('http://127.0.0.1:1', 'none'),
  from: ['otlp'],
});
const missing = 'missing' in probe ? skippable(probe.missing) : undefined;
if (!('missing' in probe)) await probe.stop();
if (missing !== undefined) test.skip(`needs ${missing}`);

let flyball: FlyballProcess;
let collector: RealPart | MissingPart;
beforeAll(async () => {
  if (missing === undefined) flyball = await FlyballProcess.start(BIN);
});
afterEach(async () => {
  if (missing === undefined && !('missing' in collector)) await collector.stop();
});
afterAll(async () => {
  if (missing === undefined) await flyball.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function storedSpans(): Promise<number> {
  const text = await (await fetch(`${flyball.addresses.api}/metrics`)).text();
  return Number(/^flyball_ingest_spans_total{outcome="stored"} (\d+)/m.exec(text)?.[1]);
}

test.skipIf(missing !== undefined).each(['none', 'gzip'])(
  'what the Collector’s exporter sends, compression %s, is stored span by span',
  async (compression) => {
    const before = await storedSpans();
    collector = await startCollector(join(dir, compression), {
      exporters: exporterTo(flyball.addresses.otlpGrpc, compression),
      from: ['otlp'],
    });
    const { url } = collector as RealPart;
    const http = `http://127.0.0.1:${Number(new URL(url).port) + 1}/v1/traces`;
    const body = traceRequest(Array.from({ length: SPANS }, () => ({ endMs: Date.now() })));
    for (let sent = 0; sent < REQUESTS; sent += 1) {
      const headers = { 'content-type': 'application/x-protobuf' };
      expect((await fetch(http, { method: 'POST', headers, body })).status).toBe(200);
    }
    await expect.poll(storedSpans, { timeout: 20_000 }).toBe(before + REQUESTS * SPANS);
  },
);
