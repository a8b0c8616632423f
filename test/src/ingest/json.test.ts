import { RAW_TOPICS, readRaw, type SignalKind } from '@flyball/contracts';
import { Ingest, IngestConfig, listenHttp, type Listening } from '@flyball/ingest';
import { MemoryLog } from '@flyball/memory';
import { LogScan, MetricScan, TraceScan } from '@flyball/otlp';
import { createRawTopics } from '@flyball/runtime';
import { allRecords } from '@flyball/testing';
import { gzipSync } from 'node:zlib';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

// Goal: what a browser, a script or a small agent sends as JSON counts like protobuf, and what is wrong about it is said in JSON.
// Method: real HTTP; what is stored is read back as protobuf by the scanners.

const NOW = Date.now();
const nanos = (ms: number) => `${ms}000000`;
const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const resource = { attributes: [attribute('service.name', 'cart'), attribute('deployment.environment.name', 'js')] };
const span = {
  ...{ traceId: '5B8EFFF798038103D269B633813FC60C', spanId: 'eee19b7ec3c1b174', name: 'GET /', kind: 2 },
  ...{ startTimeUnixNano: nanos(NOW - 25), endTimeUnixNano: nanos(NOW), status: { code: 2 } },
};
const traces = (...spans: readonly object[]) => ({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
const metrics = (...list: readonly object[]) => ({
  resourceMetrics: [{ resource, scopeMetrics: [{ metrics: list }] }],
});
const logs = (...logRecords: readonly object[]) => ({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });

let log: MemoryLog;
let ingest: Ingest;
let http: Listening;
beforeEach(async () => {
  const config = IngestConfig.parse({ httpPort: 0, tickMs: 10_000, requestBytesMax: 100_000 });
  log = new MemoryLog(Date.now);
  await createRawTopics(log, 1);
  ingest = await Ingest.open(config, { log, registry: new Registry() });
  http = await listenHttp(ingest, config);
});
afterEach(async () => {
  await ingest.drain();
  await http.close();
});

async function post(signal: SignalKind, body: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(`http://127.0.0.1:${http.port}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body instanceof Uint8Array ? Buffer.from(body) : typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
}
async function stored(signal: SignalKind): Promise<Uint8Array[]> {
  const records = await allRecords(log, RAW_TOPICS[signal]);
  return records.map((record) => readRaw(record)).flatMap((raw) => (raw.type === 'otlp' ? [raw.bytes] : []));
}

describe('OTLP/JSON', () => {
  test('spans are stored as protobuf, and the answer is JSON', async () => {
    expect(await post('traces', traces(span))).toEqual({ status: 200, type: 'application/json', body: '{}' });
    const scan = new TraceScan();
    scan.read((await stored('traces'))[0]!);
    expect(scan).toMatchObject({ count: 1, resources: [{ service: 'cart', environment: 'js' }] });
    expect([scan.traceIdOf(0), scan.durationUs[0], scan.isError[0]]).toEqual([span.traceId.toLowerCase(), 25_000, 1]);
  });

  test('gzip, keys as in protobuf, and enums by name are taken', async () => {
    const snake = JSON.stringify({
      resource_spans: [
        {
          resource,
          scope_spans: [
            {
              spans: [
                {
                  ...{ trace_id: span.traceId, span_id: span.spanId, name: 'GET /', kind: 'SPAN_KIND_SERVER' },
                  ...{ start_time_unix_nano: nanos(NOW - 5), end_time_unix_nano: nanos(NOW) },
                  status: { code: 'STATUS_CODE_ERROR' },
                },
              ],
            },
          ],
        },
      ],
    });
    expect(await post('traces', gzipSync(snake), { 'content-encoding': 'gzip' })).toMatchObject({ status: 200 });
    const scan = new TraceScan();
    scan.read((await stored('traces'))[0]!);
    expect([scan.count, scan.kind[0], scan.isError[0], scan.durationUs[0]]).toEqual([1, 2, 1, 5_000]);
  });

  test('points of every type are stored; those without a number or a time are counted out, with the reason', async () => {
    const time = { timeUnixNano: nanos(NOW) };
    const sum = (point: object) => ({ sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point] } });
    const sent = metrics(
      {
        name: 'queue',
        gauge: { dataPoints: [{ ...time, asDouble: 7 }, { ...time, asDouble: 'NaN' }, { asInt: '3' }] },
      },
      { name: 'orders', ...sum({ ...time, asInt: '9007199254740993' }) },
      { name: 'took', histogram: { aggregationTemporality: 1, dataPoints: [{ ...time, count: '4', sum: 2.5 }] } },
      {
        name: 'size',
        exponentialHistogram: { aggregationTemporality: 2, dataPoints: [{ ...time, count: 2, sum: 8 }] },
      },
      { name: 'old', summary: { dataPoints: [{ ...time, count: 3, sum: 6 }] } },
    );
    const answer = await post('metrics', sent);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      partialSuccess: {
        rejectedDataPoints: '2',
        errorMessage: 'rejected points: 1 without a value that is a number; 1 without a time',
      },
    });
    const scan = new MetricScan();
    scan.read((await stored('metrics'))[0]!);
    expect(scan.points.map(({ metric, type, value, count }) => [metric, type, value, count])).toEqual([
      ['queue', 'gauge', 7, 0],
      ['orders', 'cumulative', 9007199254740992, 0],
      ['took', 'delta_histogram', 2.5, 4],
      ['size', 'cumulative_histogram', 8, 2],
      ['old', 'cumulative_histogram', 6, 3],
    ]);
  });

  test('log records keep severity, text and trace', async () => {
    const body = { kvlistValue: { values: [attribute('order', 'A7')] } };
    const record = { timeUnixNano: nanos(NOW), severityText: 'Warning', body, traceId: span.traceId };
    expect(await post('logs', logs(record, { severityNumber: 21, body: { stringValue: 'gone' } }))).toMatchObject({
      status: 200,
      body: '{}',
    });
    const scan = new LogScan();
    scan.read((await stored('logs'))[0]!);
    expect(scan.logs).toMatchObject([
      { severity: 'warn', body: '{order=A7}', timeMs: NOW, traceId: span.traceId.toLowerCase() },
      { severity: 'fatal', body: 'gone', timeMs: 0, traceId: '' },
    ]);
  });
});

let deep: object = { stringValue: 'end' };
for (let depth = 0; depth < 200; depth += 1) deep = { arrayValue: { values: [deep] } };

describe('a bad request in JSON is refused in JSON, and costs nothing else', () => {
  test.each<[string, SignalKind, unknown, number, RegExp]>([
    ['no JSON', 'traces', '{"resourceSpans":[', 400, /OTLP_JSON_INVALID/],
    ['a list where an object belongs', 'traces', { resourceSpans: {} }, 400, /resourceSpans is no list/],
    ['an id that is no hex', 'traces', traces({ ...span, traceId: 'xyz' }), 400, /OTLP_JSON_INVALID/],
    [
      'a time that is no number',
      'metrics',
      metrics({ name: 'a', gauge: { dataPoints: [{ timeUnixNano: 'now' }] } }),
      400,
      /OTLP_JSON_INVALID/,
    ],
    ['an enum that is none', 'traces', traces({ ...span, kind: 'SPAN_KIND_MINE' }), 400, /OTLP_JSON_INVALID/],
    ['values that are nested without end', 'logs', logs({ body: deep }), 400, /OTLP_JSON_INVALID/],
    [
      'more than the limit',
      'logs',
      logs({ body: { stringValue: 'x'.repeat(200_000) } }),
      413,
      /larger than 100000 bytes/,
    ],
  ])('%s', async (_name, signal, body, status, message) => {
    const answer = await post(signal, body);
    expect(answer).toMatchObject({ status, type: 'application/json' });
    expect(JSON.parse(answer.body)).toEqual({ code: expect.any(Number), message: expect.stringMatching(message) });
    expect(await post('traces', traces(span))).toMatchObject({ status: 200 });
    expect(await stored('traces')).toHaveLength(1);
  });

  test.each(['text/plain', 'application/json garbage', 'application/json\ta', ''])('content type %j', async (type) => {
    expect(await post('traces', '{}', { 'content-type': type })).toMatchObject({
      status: 415,
      body: expect.stringContaining('application/x-protobuf, application/json'),
    });
  });

  test('an id of the wrong length is that span’s trouble only', async () => {
    const answer = await post('traces', traces({ ...span, traceId: 'abcd' }, span));
    expect(JSON.parse(answer.body)).toMatchObject({ partialSuccess: { rejectedSpans: '1' } });
    const scan = new TraceScan();
    scan.read((await stored('traces'))[0]!);
    expect(scan.count).toBe(1);
  });

  test('unknown fields, names from elsewhere and texts that are code are data', async () => {
    const names = ['__proto__', 'constructor', '<script>alert(1)</script>', '\u001b[31mred', '\u202Egnp.exe'];
    for (const name of names) {
      const body = { resourceLogs: [{ resource: { attributes: [attribute('service.name', name)] }, later: 1 }] };
      expect(await post('logs', { ...body, ...logs({ body: { stringValue: name }, later: {} }) })).toMatchObject({
        status: 200,
      });
    }
    expect(({} as Record<string, unknown>)['later']).toBeUndefined();
  });
});
