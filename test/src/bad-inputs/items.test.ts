import type { SignalKind } from '@flyball/contracts';
import { WireWriter } from '@flyball/core';
import { decodeExportResponse, encodeLogsJson, encodeMetricsJson, encodeTracesJson } from '@flyball/otlp';
import { FlyballProcess } from '@flyball/testing';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attribute, goodItem, nanos, requestOf, Wire } from './wire.ts';

// Goal: an item that is bad costs no other: its sender is told how many and why, and the good one beside it is stored and counted.
// Method: the real process; inputs 6 and 17 to 26 of docs/bad-inputs.md, each sent as JSON, as protobuf over HTTP and over gRPC,
// between two good items; what became of them is read from the counters, and from the API.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const SETTINGS = { FLYBALL_AGGREGATOR_WINDOW_MS: '1000', FLYBALL_AGGREGATOR_GRACE_MS: '500' };
const HOUR_MS = 3_600_000;
const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const EVENTUALLY = { timeout: 20_000, interval: 200 };

let flyball: FlyballProcess;
let wire: Wire;
beforeAll(async () => {
  flyball = await FlyballProcess.start(BIN, SETTINGS);
  wire = new Wire(flyball);
  // What is early, nobody can say before the log has told what time it is.
  for (const signal of ['traces', 'metrics', 'logs'] as const) {
    await wire.http(`/v1/${signal}`, requestOf(signal, 'first', [goodItem(signal)]));
  }
});
afterAll(async () => {
  expect(await flyball.stop()).toBe(0);
});

/** The same request as protobuf; `undefined` where it cannot be written so. */
function protobufOf(signal: SignalKind, json: string): Uint8Array | undefined {
  const { resourceSpans, resourceMetrics, resourceLogs } = JSON.parse(json) as Record<string, never>;
  try {
    if (signal === 'traces') return encodeTracesJson(resourceSpans!);
    return signal === 'metrics' ? encodeMetricsJson(resourceMetrics!) : encodeLogsJson(resourceLogs!);
  } catch {
    return undefined;
  }
}

/** Sends a bad item between two good ones, in every form there is; each answer as the count and the reason. */
async function answersTo(signal: SignalKind, bad: unknown): Promise<{ rejected: number; message: string }[]> {
  const json = requestOf(signal, 'beside', [goodItem(signal), bad, goodItem(signal)]);
  const answer = await wire.http(`/v1/${signal}`, json);
  expect(answer.status).toBe(200);
  const { partialSuccess = {} } = JSON.parse(answer.body) as { partialSuccess?: Record<string, string> };
  const { errorMessage: message = '', ...counts } = partialSuccess;
  const answers = [{ rejected: Number(Object.values(counts)[0] ?? 0), message }];
  const bytes = protobufOf(signal, json);
  if (bytes === undefined) return answers;
  const { status, body } = await wire.http(`/v1/${signal}`, bytes, PROTOBUF);
  expect(status).toBe(200);
  answers.push(decodeExportResponse(Buffer.from(body)));
  const overGrpc = await wire.grpc(signal, bytes);
  expect(overGrpc).toBeInstanceOf(Buffer);
  return [...answers, decodeExportResponse(overGrpc as Buffer)];
}

/** As {@link answersTo}; and of every form the good items, and nothing else, must have been stored. */
async function expectAlone(signal: SignalKind, bad: unknown, rejected: number, says: RegExp): Promise<void> {
  const before = await wire.counts(signal);
  const answers = await answersTo(signal, bad);
  for (const answer of answers) {
    expect(answer).toEqual({ rejected, message: expect.stringMatching(says) });
  }
  const after = await wire.counts(signal);
  const grown = (outcome: string) => (after[outcome] ?? 0) - (before[outcome] ?? 0);
  expect([grown('received'), grown('stored'), grown('rejected')]).toEqual(
    [3, 3 - rejected, rejected].map((count) => count * answers.length),
  );
}

const span = (changes: object) => ({ ...goodItem('traces'), ...changes });
const point = (changes: object) => ({
  name: 'level',
  gauge: { dataPoints: [{ timeUnixNano: nanos(Date.now()), asDouble: 1, ...changes }] },
});
const histogram = (changes: object) => ({
  name: 'took',
  histogram: {
    aggregationTemporality: 1,
    dataPoints: [{ timeUnixNano: nanos(Date.now()), count: '4', sum: 2, ...changes }],
  },
});
const record = (changes: object) => ({ ...goodItem('logs'), ...changes });

let deep: object = { stringValue: 'end' };
for (let depth = 0; depth < 200; depth += 1) deep = { kvlistValue: { values: [{ key: 'k', value: deep }] } };

describe('a bad item is rejected alone, and named:', () => {
  test.each<[string, SignalKind, unknown, RegExp]>([
    ['a span without a trace id', 'traces', span({ traceId: undefined }), /1 with an invalid trace id/],
    ['a span whose trace id is all zero', 'traces', span({ traceId: '0'.repeat(32) }), /1 with an invalid trace id/],
    ['a span id of another length', 'traces', span({ spanId: 'abcd' }), /1 with an invalid span id/],
    ['an id that is no hex', 'traces', span({ traceId: 'xyz' }), /spans\[1\]: an id is not hex/],
    ['a kind that is none', 'traces', span({ kind: 'SPAN_KIND_MINE' }), /spans\[1\]: "SPAN_KIND_MINE" is none of SPAN/],
    [
      'a span of two hours hence',
      'traces',
      span({ endTimeUnixNano: nanos(Date.now() + 2 * HOUR_MS) }),
      /early: too far/,
    ],
    ['a span at 2^63', 'traces', span({ endTimeUnixNano: String(2n ** 63n) }), /1 early: too far in the future/],
    ['a span at 2^64', 'traces', span({ endTimeUnixNano: String(2n ** 64n) }), /endTimeUnixNano is no whole number/],
    ['a span before all time', 'traces', span({ endTimeUnixNano: '-1' }), /spans\[1\]: endTimeUnixNano is negative/],
    ['a name that is no text', 'traces', span({ name: 7 }), /spans\[1\]: name is no text/],
    ['attributes that are no list', 'traces', span({ attributes: 7 }), /spans\[1\]: a value has the wrong type/],
    ['a span that is none', 'traces', null, /spans\[1\]: it is no object/],
    ['NaN', 'metrics', point({ asDouble: 'NaN' }), /1 without a value that is a number/],
    ['infinity', 'metrics', point({ asDouble: '-Infinity' }), /1 without a value that is a number/],
    ['a point without a time', 'metrics', point({ timeUnixNano: '0' }), /1 without a time/],
    [
      'a point of two hours hence',
      'metrics',
      point({ timeUnixNano: nanos(Date.now() + 2 * HOUR_MS) }),
      /early: too far/,
    ],
    ['a whole number that is none', 'metrics', point({ asInt: '1.5' }), /gauge\.dataPoints\[0\]: asInt is no whole/],
    ['a negative count', 'metrics', histogram({ count: '-4' }), /histogram\.dataPoints\[0\]: count is negative/],
    [
      'more buckets than bounds and one',
      'metrics',
      histogram({ bucketCounts: ['1', '2', '1'], explicitBounds: [5] }),
      /1 whose buckets are not one more than their bounds/,
    ],
    [
      'a record of two hours hence',
      'logs',
      record({ timeUnixNano: nanos(Date.now() + 2 * HOUR_MS) }),
      /early: too far/,
    ],
    ['a severity that is none', 'logs', record({ severityNumber: 1.5 }), /logRecords\[1\]: 1.5 is none of SEVERITY/],
    ['a body that is no value', 'logs', record({ body: 'text' }), /logRecords\[1\]: a value is an object/],
    ['a body nested without end', 'logs', record({ body: deep }), /logRecords\[1\]: values are nested too deeply/],
  ])('%s', async (_what, signal, bad, says) => {
    await expectAlone(signal, bad, 1, says);
  });

  test('one that is larger than a record of the log', { timeout: 60_000 }, async () => {
    const large = span({ attributes: [attribute('k', 'x'.repeat(17 * 1024 * 1024))] });
    await expectAlone('traces', large, 1, /1 larger than a record of the log/);
  });

  test('of a thousand, the first three are named, and the others counted', async () => {
    const bad = Array.from({ length: 1_000 }, () => span({ traceId: 'xyz' }));
    const answer = await wire.http('/v1/traces', requestOf('traces', 'many', [...bad, goodItem('traces')]));
    const { partialSuccess } = JSON.parse(answer.body) as { partialSuccess: Record<string, string> };
    expect(partialSuccess).toMatchObject({
      rejectedSpans: '1000',
      errorMessage: expect.stringMatching(/; 997 more\)$/),
    });
  });

  test('where there is no good one beside it, the whole request is bad', async () => {
    const answer = await wire.http('/v1/traces', requestOf('traces', 'alone', [span({ traceId: 'xyz' })]));
    expect(answer).toMatchObject({ status: 400, body: expect.stringMatching(/OTLP_JSON_INVALID: .*spans\[0\]/) });
  });
});

describe('what looks bad and can be counted is taken:', () => {
  test.each<[string, SignalKind, unknown]>([
    ['a span that ends before it starts', 'traces', span({ startTimeUnixNano: nanos(Date.now() + 1_000) })],
    ['a span of 1970, which counts as late', 'traces', span({ startTimeUnixNano: '0', endTimeUnixNano: '1000000000' })],
    ['a kind by its name', 'traces', span({ kind: 'SPAN_KIND_SERVER' })],
    ['a field that nobody knows', 'traces', span({ later: { and: 1 } })],
    ['null in place of what is not there', 'traces', span({ attributes: null, status: null, name: null })],
    [
      '10,000 attributes',
      'traces',
      span({ attributes: Array.from({ length: 10_000 }, (_, n) => attribute(`k${n}`, 'v')) }),
    ],
    ['a key of 10 KB, a value of 1 MB', 'traces', span({ attributes: [attribute('k'.repeat(1e4), 'x'.repeat(1e6))] })],
    ['a point that says it has no value', 'metrics', point({ asDouble: undefined, flags: 1 })],
    ['a total that began in the future', 'metrics', point({ startTimeUnixNano: nanos(Date.now() + HOUR_MS) })],
    ['a severity by its name', 'logs', record({ severityNumber: 'SEVERITY_NUMBER_ERROR' })],
    ['a severity that nobody knows', 'logs', record({ severityNumber: 99 })],
    ['a trace id of another length', 'logs', record({ traceId: 'abcd' })],
    ['a record without a time', 'logs', record({ timeUnixNano: '0' })],
    ['a NUL in a text', 'logs', record({ body: { stringValue: 'a\0b' } })],
  ])('%s', async (_what, signal, item) => {
    await expectAlone(signal, item, 0, /^$/);
  });

  test('a map nested 100,000 deep costs no stack, in attributes and in the body of a record', async () => {
    const nested = nestedMap(100_000);
    const attributes = new WireWriter().bytes(1, new WireWriter().text(1, 'k').bytes(2, nested).finish()).finish();
    const logRecord = new WireWriter()
      .fixed64(1, BigInt(Date.now()) * 1_000_000n)
      .bytes(5, nested)
      .finish();
    const scope = new WireWriter().bytes(2, logRecord).finish();
    const request = new WireWriter().bytes(1, new WireWriter().bytes(1, attributes).bytes(2, scope).finish()).finish();
    const answer = await wire.grpc('logs', request);
    expect(decodeExportResponse(answer as Buffer)).toMatchObject({ rejected: 0 });
  });
});

/** An AnyValue with a map in a map in a map …: written from the inside, once. */
function nestedMap(depth: number): Uint8Array {
  const heads: Uint8Array[] = [];
  let size = 0;
  for (let level = 0; level < depth; level += 1) {
    // KeyValue { value } in KeyValueList { values } in AnyValue { kvlist_value }.
    for (const field of [2, 1, 6]) {
      const head = new WireWriter()
        .varint(field === 0 ? 1 : field, 1)
        .finish()
        .slice(0, 1);
      head[0] = field * 8 + 2;
      const length = new WireWriter().varint(1, size).finish().slice(1);
      const whole = Buffer.concat([head, size === 0 ? Uint8Array.of(0) : length]);
      heads.push(whole);
      size += whole.length;
    }
  }
  return Buffer.concat(heads.reverse());
}

describe('names from telemetry', () => {
  const NAMES = [
    '<script>alert(1)</script>',
    '\u001b[31mred\u001b[0m',
    '\u202Egnp.exe',
    '__proto__',
    'constructor',
    'nul\0',
  ];

  test('are data: shown as they are by the API, and without a code in a terminal', async () => {
    for (const name of NAMES) {
      const answer = await wire.http('/v1/traces', requestOf('traces', name, [goodItem('traces')]));
      expect(answer).toMatchObject({ status: 200, body: '{}' });
    }
    const names = async () =>
      (await flyball.get<{ items: { service: string }[] }>('/v1/services')).items.map(({ service }) => service);
    await expect.poll(names, EVENTUALLY).toEqual(expect.arrayContaining(NAMES));
    const env = { ...process.env, HOME: flyball.dir };
    const { stdout } = spawnSync(BIN, ['services', '--data', flyball.dir], { encoding: 'utf8', env });
    for (const shown of ['script', 'gnp.exe', '__proto__', 'constructor']) expect(stdout).toContain(shown);
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/);
    // The process remembers no property of them.
    expect(await flyball.get('/v1/killswitch')).toMatchObject({ isPaused: true });
  });

  test('that are not said, or are no UTF-8, are counted under a name that says so', async () => {
    const unnamed = await wire.http('/v1/traces', requestOf('traces', '', [goodItem('traces')]));
    expect(JSON.parse(unnamed.body)).toEqual({
      partialSuccess: { rejectedSpans: '0', errorMessage: expect.stringContaining('unknown_service') },
    });
    const bytes = Buffer.from(protobufOf('traces', requestOf('traces', 'no-text', [goodItem('traces')]))!);
    bytes.fill(0xff, bytes.indexOf('no-text'), bytes.indexOf('no-text') + 7);
    expect(decodeExportResponse((await wire.grpc('traces', bytes)) as Buffer)).toMatchObject({ rejected: 0 });
    const names = async () =>
      (await flyball.get<{ items: { service: string }[] }>('/v1/services')).items.map(({ service }) => service);
    await expect.poll(names, EVENTUALLY).toEqual(expect.arrayContaining(['unknown_service', '\ufffd'.repeat(7)]));
  });
});

test('more operations of a service than a window holds go into one series that is marked, and none is lost', async () => {
  const spans = Array.from({ length: 300 }, (_, n) =>
    span({ spanId: n.toString(16).padStart(16, 'c'), name: `GET /${n}` }),
  );
  expect(await wire.http('/v1/traces', requestOf('traces', 'wide', spans))).toMatchObject({ status: 200, body: '{}' });
  interface Wide {
    readonly totals?: readonly { view: string; name: string; count: number }[];
  }
  const operations = async () =>
    ((await flyball.get<Wide>('/v1/services/bad:wide')).totals ?? []).filter(({ view }) => view === 'operation');
  await expect.poll(async () => (await operations()).reduce((sum, { count }) => sum + count, 0), EVENTUALLY).toBe(300);
  const overflow = (await operations()).find(({ name }) => name === '(overflow)');
  expect(overflow?.count).toBeGreaterThanOrEqual(200);
});
