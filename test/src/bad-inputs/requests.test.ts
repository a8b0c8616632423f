import type { SignalKind } from '@flyball/contracts';
import { FlyballProcess } from '@flyball/testing';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { goodItem, requestOf, Wire } from './wire.ts';

// Goal: whoever sends a request that is none is told so in their own content type, with what would be right; and everybody else
// loses nothing. Method: the real process, real sockets; inputs 1 to 12 of docs/bad-inputs.md, for each kind of telemetry. After
// every one a good request must get through, and received = stored + rejected + shed + unknown.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const SETTINGS = { FLYBALL_AGGREGATOR_WINDOW_MS: '1000', FLYBALL_AGGREGATOR_GRACE_MS: '500' };
/** What the whole process may hold, whatever is sent: the limit of one machine. */
const RESIDENT_BYTES_MAX = 512 * 1024 * 1024;
const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const SIGNALS: readonly SignalKind[] = ['traces', 'metrics', 'logs'];

let flyball: FlyballProcess;
let wire: Wire;
beforeAll(async () => {
  flyball = await FlyballProcess.start(BIN, SETTINGS);
  wire = new Wire(flyball);
});
afterAll(async () => {
  expect(await flyball.stop()).toBe(0);
});
afterEach(async () => {
  for (const signal of SIGNALS) {
    const answer = await wire.http(`/v1/${signal}`, requestOf(signal, 'good', [goodItem(signal)]));
    expect(answer).toMatchObject({ status: 200, body: '{}' });
    const { received = 0, stored = 0, rejected = 0, shed = 0, unknown = 0 } = await wire.counts(signal);
    expect(received).toBe(stored + rejected + shed + unknown);
    expect(stored).toBeGreaterThan(0);
  }
});

describe.each(SIGNALS)('%s', (signal) => {
  const path = `/v1/${signal}`;
  const good = () => requestOf(signal, 'good', [goodItem(signal)]);

  test('by another method are answered with the right one', async () => {
    const answer = await wire.http(path, '', {}, 'GET');
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST', 'content-type': 'application/json' } });
    expect(answer.body).toContain('supported: [POST]');
  });

  test.each(['text/plain', 'application/json garbage', 'application/json\ta', 'application/x-protobuf\ta', ''])(
    'of content type %j are answered with those that are taken',
    async (type) => {
      const answer = await wire.http(path, good(), { 'content-type': type });
      expect(answer.status).toBe(415);
      expect(answer.body).toContain('application/x-protobuf, application/json');
    },
  );

  test('without a byte are requests without items', async () => {
    expect(await wire.http(path, '')).toMatchObject({ status: 200, body: '{}' });
    expect(await wire.http(path, '', PROTOBUF)).toMatchObject({ status: 200, body: '' });
    expect(await wire.grpc(signal, new Uint8Array(0))).toHaveLength(0);
  });

  test('that are cut, or are something else, are answered with where they stop making sense', async () => {
    const cut = Uint8Array.of(0x0a, 0x7f, 0x12);
    const answer = await wire.http(path, cut, PROTOBUF);
    expect(answer).toMatchObject({ status: 400, headers: PROTOBUF });
    expect(answer.body).toMatch(/OTLP_MALFORMED.*at byte \d/s);
    expect(await wire.grpc(signal, cut)).toMatchObject({ code: 3, details: expect.stringMatching(/at byte \d/) });
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const { status } = await wire.http(path, randomBytes(200), PROTOBUF);
      expect([200, 400]).toContain(status);
    }
  });

  test.each([
    ['half of one', '{"resourceSpans":[', /not JSON: /],
    ['a million brackets', '['.repeat(1_000_000), /not JSON: /],
    ['null', 'null', /it is no object/],
    ['a list of requests', '[{}]', /it is no object/],
    ['a text', '"spans"', /it is no object/],
  ])('in JSON that is %s are refused', async (_what, body, says) => {
    const answer = await wire.http(path, body);
    expect(answer).toMatchObject({ status: 400, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(answer.body)).toEqual({ code: 3, message: expect.stringMatching(says) });
  });

  test('in JSON are told where a list or an object belongs; null is as good as nothing', async () => {
    const [whole] = Object.entries(JSON.parse(good()) as Record<string, object[]>);
    const [name] = whole!;
    const scopes = { traces: 'scopeSpans', metrics: 'scopeMetrics', logs: 'scopeLogs' }[signal];
    for (const [resources, says] of [
      [7, `${name} is no list`],
      [[null], `${name}[0]: it is no object`],
      [[{ [scopes]: 7 }], `${name}[0].${scopes} is no list`],
      [[{ resource: { attributes: 7 } }], `${name}[0]: `],
      [[{ schemaUrl: 7 }], `${name}[0]: schemaUrl is no text`],
    ] as const) {
      const answer = await wire.http(path, JSON.stringify({ [name]: resources }));
      expect(answer).toMatchObject({ status: 400, body: expect.stringContaining(says) });
    }
    for (const nothing of [null, [{ [scopes]: null, resource: null }]]) {
      expect(await wire.http(path, JSON.stringify({ [name]: nothing }))).toMatchObject({ status: 200, body: '{}' });
    }
  });

  test('in an encoding that is not gzip, twice in it, or cut, are refused', async () => {
    const encoded = gzipSync(good());
    const bodies = [
      [encoded, 'br'],
      [encoded, 'gzip, gzip'],
      [encoded, 'zstd'],
      [good(), 'gzip'],
      [encoded.subarray(0, encoded.length - 9), 'gzip'],
    ] as const;
    for (const [body, encoding] of bodies) {
      const answer = await wire.http(path, body, { 'content-encoding': encoding });
      expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('gzip') });
    }
  });

  test('larger than the limit are refused with it, and it is not sent again', async () => {
    const large = new Uint8Array(64 * 1024 * 1024 + 1);
    const answer = await wire.http(path, large, PROTOBUF);
    // Who does not stop sending may find the connection closed before the answer is read.
    expect([413, 0]).toContain(answer.status);
    if (answer.status === 413) expect(answer.body).toContain(String(64 * 1024 * 1024));
    const refusal = await wire.grpc(signal, large);
    expect(refusal).toMatchObject({ code: 8 });
    expect((refusal as { metadata: { get(key: string): unknown[] } }).metadata.get('grpc-status-details-bin')).toEqual(
      [],
    );
  });
});

test(
  'thirty bombs at once are refused, and the memory of the process stays within its limit',
  { timeout: 120_000 },
  async () => {
    const bomb = gzipSync(new Uint8Array(1_000_000_000), { level: 1 });
    let most = 0;
    const watch = setInterval(() => void wire.residentBytes().then((bytes) => (most = Math.max(most, bytes))), 100);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        wire.http(`/v1/${SIGNALS[index % 3]!}`, bomb, { 'content-encoding': 'gzip' }),
      ),
    );
    clearInterval(watch);
    for (const { status } of answers) expect([413, 503]).toContain(status);
    expect(answers.filter(({ status }) => status === 413).length).toBeGreaterThan(0);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(RESIDENT_BYTES_MAX);
  },
);

test('many large requests at once are taken or put off, and the memory of the process stays within its limit', async () => {
  const body = requestOf('logs', 'large', [
    ...Array.from({ length: 50 }, () => ({ ...goodItem('logs'), body: { stringValue: 'x'.repeat(400_000) } })),
  ]);
  let most = 0;
  const watch = setInterval(() => void wire.residentBytes().then((bytes) => (most = Math.max(most, bytes))), 100);
  const answers = await Promise.all(Array.from({ length: 30 }, () => wire.http('/v1/logs', body)));
  clearInterval(watch);
  for (const { status } of answers) expect([200, 503]).toContain(status);
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  expect(most).toBeLessThan(RESIDENT_BYTES_MAX);
}, 120_000);

test('bytes that are no protocol at all, and a request that never ends, hold up nobody', async () => {
  const { addresses } = flyball;
  const ports = [addresses.otlpGrpc, addresses.otlpHttp].map((url) => Number(new URL(url).port));
  const sockets = ports.flatMap((port) =>
    ['\0\x01\x02 garbage\r\n\r\n', 'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 999\r\n\r\nabc'].map(
      (text) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        return socket.on('error', () => undefined).resume();
      },
    ),
  );
  const answer = await wire.http('/v1/traces', requestOf('traces', 'good', [goodItem('traces')]));
  expect(answer.status).toBe(200);
  for (const socket of sockets) socket.destroy();
});
