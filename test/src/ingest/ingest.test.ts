import { readRaw } from '@flyball/contracts';
import { UnavailableError, WireWriter } from '@flyball/core';
import { Ingest, IngestConfig, listenGrpc, listenHttp, type Listening } from '@flyball/ingest';
import { MemoryLog } from '@flyball/memory';
import { decodeExportResponse, TraceScan } from '@flyball/otlp';
import { createRawTopics, Marks, provenanceOf } from '@flyball/runtime';
import { allRecords, type AppendFault, FaultyLog, traceRequest } from '@flyball/testing';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

// Goal: a sender can believe every answer, and bad input costs nobody else anything. Method: both transports on
// real sockets over a log that fails on request; what is stored is compared with what was sent.

const PARTITIONS = 2;
const NOW = Date.now();
const good = traceRequest([{ endMs: NOW }, { endMs: NOW, service: 'cart' }]);

let log: MemoryLog;
let faults: AppendFault[];
let registry: Registry;
let ingest: Ingest;
let grpc: Listening;
let http: Listening;

async function start(settings: Partial<IngestConfig> = {}): Promise<void> {
  const config = IngestConfig.parse({
    grpcPort: 0,
    httpPort: 0,
    tickMs: 10_000,
    ackTimeoutMs: 300,
    requestBytesMax: 100_000,
    ...settings,
  });
  log = new MemoryLog(Date.now);
  await createRawTopics(log, PARTITIONS);
  faults = [];
  registry = new Registry();
  ingest = await Ingest.open(config, {
    log: new FaultyLog(
      log,
      ({ topic }) => (topic === 'otlp_spans' ? (faults.shift() ?? 'none') : 'none'),
      () => false,
    ),
    registry,
  });
  [grpc, http] = [await listenGrpc(ingest, config), await listenHttp(ingest, config)];
}
beforeEach(() => start());
afterEach(async () => {
  await ingest.drain();
  await Promise.all([grpc.close(), http.close()]);
});

interface HttpAnswer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}
function post(
  body: Uint8Array,
  headers: Record<string, string> = {},
  path = '/v1/traces',
  method = 'POST',
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { port: http.port, path, method, headers: { 'content-type': 'application/x-protobuf', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
function call(body: Uint8Array): Promise<Buffer> {
  const client = new Client(`127.0.0.1:${grpc.port}`, credentials.createInsecure());
  return new Promise<Buffer>((resolve, reject) => {
    const same = (bytes: Buffer) => bytes;
    client.makeUnaryRequest(
      '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      same,
      same,
      Buffer.from(body),
      (error, answer) => {
        client.close();
        if (error === null) resolve(answer!);
        else reject(error);
      },
    );
  });
}
const refusal = (body: Uint8Array) =>
  call(body).then(
    () => undefined,
    (error: unknown) => error as ServiceError,
  );

/** Spans in the log, past the marks. */
async function storedSpans(): Promise<number> {
  const scan = new TraceScan();
  const marks = new Marks();
  let spans = 0;
  for (const record of await allRecords(log, 'otlp_spans')) {
    const raw = readRaw(record);
    if (raw.type !== 'otlp' || !marks.raise(provenanceOf(record.headers), 0)) continue;
    scan.read(raw.bytes);
    spans += scan.count;
  }
  return spans;
}
async function counts(): Promise<Record<string, number>> {
  const { values } = await registry.getSingleMetric('flyball_ingest_spans_total')!.get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels['outcome'], value]));
}
async function expectBalance(): Promise<Record<string, number>> {
  const { received = 0, stored = 0, rejected = 0, shed = 0, unknown = 0, ...rest } = await counts();
  expect(rest).toEqual({});
  expect(received).toBe(stored + rejected + shed + unknown);
  return { received, stored, rejected, shed, unknown };
}

describe('a good request', () => {
  test('is stored byte for byte over both transports, plain or gzip, and answered without a word', async () => {
    expect(await call(good)).toHaveLength(0);
    for (const answer of [await post(good), await post(gzipSync(good), { 'content-encoding': 'gzip' })]) {
      expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/x-protobuf' } });
      expect(answer.body).toHaveLength(0);
    }
    const records = await allRecords(log, 'otlp_spans');
    expect(records.map(({ value }) => Buffer.from(value).equals(good))).toEqual([true, true, true]);
    expect(await expectBalance()).toMatchObject({ received: 6, stored: 6 });
  });

  test('may be empty, and may leave out the service name: then there is a warning', async () => {
    expect(await post(new Uint8Array(0))).toMatchObject({ status: 200 });
    const { body } = await post(traceRequest([{ endMs: NOW, service: '' }]));
    expect(decodeExportResponse(body)).toMatchObject({
      rejected: 0,
      message: expect.stringContaining('unknown_service'),
    });
  });

  test('that comes while others wait shares their append', async () => {
    await Promise.all(Array.from({ length: 50 }, () => ingest.export('traces', good, 'default')));
    expect((await allRecords(log, 'otlp_spans')).length).toBeLessThan(50);
    expect(await storedSpans()).toBe(100);
  });
});

describe('a request with invalid spans', () => {
  test('loses those alone, and is told how many and why', async () => {
    // What is early, nobody can say before the log has told what time it is.
    await call(good);
    const mixed = traceRequest([
      { endMs: NOW },
      { endMs: NOW, traceId: '0'.repeat(32) },
      { endMs: NOW, spanId: '11' },
      { endMs: NOW + 2 * 3_600_000 },
      { endMs: NOW, service: 'cart' },
    ]);
    for (const body of [await call(mixed), (await post(mixed)).body]) {
      const { rejected, message } = decodeExportResponse(body);
      expect(rejected).toBe(3);
      for (const reason of ['trace id', 'span id', 'future']) expect(message).toContain(reason);
    }
    expect(await storedSpans()).toBe(6);
    expect(await expectBalance()).toMatchObject({ received: 12, stored: 6, rejected: 6 });
  });
});

describe('a bad request', () => {
  const cut = good.subarray(0, good.length - 3);
  test.each([
    ['cut protobuf', cut, {}, 400, 'at byte'],
    ['text', new TextEncoder().encode('hello'), {}, 400, 'OTLP_MALFORMED'],
    ['another content type', good, { 'content-type': 'text/plain' }, 415, 'application/x-protobuf'],
    [
      'a content type with garbage',
      good,
      { 'content-type': 'application/x-protobuf garbage' },
      415,
      'application/x-protobuf',
    ],
    ['a content type with a tab', good, { 'content-type': 'application/x-protobuf\ta' }, 415, 'application/x-protobuf'],
    ['an unknown encoding', good, { 'content-encoding': 'br' }, 400, 'gzip'],
    ['a nested encoding', good, { 'content-encoding': 'gzip, gzip' }, 400, 'gzip'],
    ['gzip that is none', good, { 'content-encoding': 'gzip' }, 400, 'gzip'],
    ['cut gzip', gzipSync(good).subarray(0, 40), { 'content-encoding': 'gzip' }, 400, 'gzip'],
    ['a gzip bomb', gzipSync(new Uint8Array(50_000_000)), { 'content-encoding': 'gzip' }, 413, 'decompressed'],
    ['too large a body', new Uint8Array(100_001), {}, 413, '100000'],
  ])('over HTTP: %s', async (_name, body, headers, status, says) => {
    const answer = await post(body, headers);
    expect(answer.status).toBe(status);
    expect(answer.body.toString()).toContain(says);
    expect(answer.headers['content-type']).toBe('application/x-protobuf');
    expect(await allRecords(log, 'otlp_spans')).toEqual([]);
    expect((await post(good)).status).toBe(200);
  });

  test('over HTTP: another method or path', async () => {
    expect(await post(good, {}, '/v1/traces', 'PUT')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(await post(good, {}, '/v1/profiles')).toMatchObject({ status: 404 });
  });

  test('over gRPC: malformed is INVALID_ARGUMENT with a BadRequest, too large is RESOURCE_EXHAUSTED', async () => {
    const malformed = (await refusal(cut))!;
    expect(malformed.code).toBe(3);
    expect(String(malformed.metadata.get('grpc-status-details-bin')[0])).toContain('google.rpc.BadRequest');
    const large = (await refusal(new Uint8Array(200_000)))!;
    expect(large.code).toBe(8);
    expect(large.metadata.get('grpc-status-details-bin')).toEqual([]); // Without RetryInfo it is final.
    expect(await call(good)).toHaveLength(0);
  });

  test('that is not even gRPC or HTTP does not take the process down', async () => {
    for (const port of [grpc.port, http.port]) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.end(Buffer.from('\0\x01\x02 garbage\r\n\r\n')));
        socket
          .on('close', () => resolve())
          .on('error', () => undefined)
          .resume();
      });
    }
    expect(await call(good)).toHaveLength(0);
    expect((await post(good)).status).toBe(200);
  });
});

describe('when the log does not take it', () => {
  test.each<[AppendFault, string, Record<string, number>]>([
    ['full', 'INGEST_REFUSED', { shed: 2 }],
    ['unacked', 'INGEST_UNKNOWN', { unknown: 2 }],
    ['lost', 'INGEST_UNKNOWN', { unknown: 2 }],
  ])('%s: the sender may try again, and what happened is counted', async (fault, code, outcome) => {
    faults = [fault];
    const error = (await refusal(good))!;
    expect(error.code).toBe(14);
    expect(error.details).toContain(code);
    expect(String(error.metadata.get('grpc-status-details-bin')[0])).toContain('google.rpc.RetryInfo');
    faults = [fault];
    expect(await post(good)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    const twice = Object.fromEntries(Object.entries(outcome).map(([name, count]) => [name, count * 2]));
    expect(await expectBalance()).toMatchObject({ received: 4, stored: 0, ...twice });
  });

  test('an append that lands after it was given up does not swallow what follows', async () => {
    faults = ['late', 'late'];
    await refusal(good);
    await refusal(good);
    for (let request = 0; request < 20; request += 1) await call(good);
    // Both late appends are in the log by now, after requests that were sent later: every one of the 20 counts.
    expect(await storedSpans()).toBe(44);
  });

  test('overload is shed with a retryable answer, and told by the next tick', async () => {
    await ingest.drain();
    await Promise.all([grpc.close(), http.close()]);
    await start({ pendingBytesMax: 1024 * 1024, requestBytesMax: 4_000_000, tickMs: 100 });
    const large = traceRequest(Array.from({ length: 9_000 }, () => ({ endMs: NOW })));
    const results = await Promise.allSettled([
      ingest.export('traces', large, 'default'),
      ingest.export('traces', large, 'default'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(UnavailableError);
    await expect
      .poll(async () => {
        const ticks = (await allRecords(log, 'otlp_spans')).map(readRaw).filter((raw) => raw.type === 'tick');
        return ticks.filter(({ refused }) => refused['default'] === 9_000).length;
      })
      .toBe(PARTITIONS);
    await expectBalance();
  });
});

test('every raw partition gets ticks, which are valid empty requests to anybody else', async () => {
  await ingest.drain();
  await Promise.all([grpc.close(), http.close()]);
  await start({ tickMs: 100 });
  await expect.poll(async () => (await log.range({ topic: 'otlp_spans', partition: 1 })).endOffset).toBeGreaterThan(2);
  const [tick] = await log.read({ topic: 'otlp_spans', partition: 1 }, 0, 1);
  expect(readRaw(tick!)).toEqual({ type: 'tick', refused: {}, writer: expect.any(String), stalled: {} });
  expect(tick!.value).toHaveLength(0);
  expect(provenanceOf(tick!.headers)).toMatchObject({ position: 1, epoch: 0 });
});

test('a stop tells what it refused: windows of that time are not whole', async () => {
  await ingest.drain();
  expect(await refusal(good)).toMatchObject({ details: expect.stringContaining('INGEST_DRAINING') });
  await Promise.all([grpc.close(), http.close()]);
  await ingest.close();
  const last = (await allRecords(log, 'otlp_spans')).map(readRaw).filter((raw) => raw.type === 'tick');
  const tick = { type: 'tick', refused: { default: 2 }, writer: expect.any(String), stalled: {} };
  expect(last).toEqual(Array.from({ length: PARTITIONS }, () => tick));
});

test('a stop answers what it has, refuses what comes, and lets go', async () => {
  const last = call(good);
  await last;
  const draining = ingest.drain();
  const error = (await refusal(good))!;
  expect(error).toMatchObject({ code: 14, details: expect.stringContaining('INGEST_DRAINING') });
  await draining;
  expect(await storedSpans()).toBe(2);
});

test('a taken port is refused by name', async () => {
  const config = IngestConfig.parse({ grpcPort: grpc.port, httpPort: http.port });
  await expect(listenGrpc(ingest, config)).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  await expect(listenHttp(ingest, config)).rejects.toMatchObject({ code: 'PORT_TAKEN' });
});

test('unknown fields pass through unchanged', async () => {
  const withUnknown = new WireWriter().raw(good).text(77, 'from the future').finish();
  await call(withUnknown);
  expect(Buffer.from((await allRecords(log, 'otlp_spans'))[0]!.value).equals(withUnknown)).toBe(true);
});
