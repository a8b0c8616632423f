import { RPC_CODE } from '@flyball/otlp';
import { FlyballProcess, traceRequest } from '@flyball/testing';
import { request as httpRequest } from 'node:http';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { exportFrames, framed, type GrpcEnd, largeLogs, openConnection } from './grpc-frames.ts';
import { goodItem, requestOf, Wire } from './wire.ts';

// Goal: whoever sends too much, or what is no gRPC, over gRPC is told so with a code that says whether to send it again. Method:
// the real process, frames written by hand; after every one a stock client must get through, and received = stored + rejected +
// shed + unknown.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const SETTINGS = { FLYBALL_AGGREGATOR_WINDOW_MS: '1000', FLYBALL_AGGREGATOR_GRACE_MS: '500' };
const MIB = 1024 * 1024;
/** Messages of 60 MiB at once: two would already be beyond what requests may hold together. */
const SENDERS = 4;
const { invalidArgument, resourceExhausted, unavailable, unimplemented } = RPC_CODE;
/** `RPC_CODE` has only those that we answer. */
const INTERNAL = 13;
const good = () => traceRequest([{ endMs: Date.now() }]);

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
  await sendGood();
  for (const signal of ['traces', 'logs'] as const) {
    const { received = 0, stored = 0, rejected = 0, shed = 0, unknown = 0 } = await wire.counts(signal);
    expect(received).toBe(stored + rejected + shed + unknown);
  }
});

/** A good request of a stock client, sent again while it is told to. Returns how often it was sent. */
async function sendGood(): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const answer = await wire.grpc('traces', good());
    if (answer instanceof Buffer) return tries;
    expect(answer).toMatchObject({ code: unavailable, details: expect.stringContaining('INGEST_OVERLOADED') });
    expect(tries).toBeLessThan(50);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Sends the same frames on some connections at once, with good requests beside them. */
async function sendAtOnce(frames: Uint8Array, encoding: string): Promise<readonly GrpcEnd[]> {
  const connections = Array.from({ length: SENDERS }, () => openConnection(flyball.addresses.otlpGrpc));
  const large = connections.map((each) =>
    exportFrames(each, 'logs', frames, { headers: { 'grpc-encoding': encoding } }),
  );
  for (let sent = 0; sent < 5; sent += 1) await sendGood();
  const ends = await Promise.all(large);
  for (const connection of connections) connection.close();
  return ends;
}

const putOff = {
  code: unavailable,
  message: expect.stringContaining('INGEST_OVERLOADED'),
  details: expect.stringContaining('google.rpc.RetryInfo'),
};

test.each([
  ['plain', 'identity', (body: Uint8Array) => framed(body)],
  ['compressed', 'gzip', (body: Uint8Array) => framed(gzipSync(body, { level: 1 }), true)],
])('large messages at once, %s, are taken or put off', { timeout: 60_000 }, async (_how, encoding, pack) => {
  const ends = await sendAtOnce(pack(largeLogs(60 * MIB)), encoding);
  const taken = ends.filter(({ code }) => code === 0);
  expect(taken.length).toBeGreaterThan(0);
  for (const end of ends.filter(({ code }) => code !== 0)) expect(end).toMatchObject(putOff);
  expect((await wire.counts('logs'))['stored']).toBeGreaterThanOrEqual(taken.length * 150);
});

test('what is being received over HTTP leaves no room for a large message over gRPC, but for a small one', async () => {
  const { hostname, port } = new URL(flyball.addresses.otlpHttp);
  const headers = { 'content-type': 'application/x-protobuf', 'content-length': 60 * MIB };
  const coming = httpRequest({ hostname, port, path: '/v1/logs', method: 'POST', headers }).on(
    'error',
    () => undefined,
  );
  await new Promise((resolve) => coming.write(new Uint8Array(40 * MIB), resolve));
  const connection = openConnection(flyball.addresses.otlpGrpc);
  const large = framed(largeLogs(16 * MIB));
  await expect.poll(() => exportFrames(connection, 'logs', large)).toMatchObject(putOff);
  expect(await sendGood()).toBe(1);
  coming.destroy();
  await expect.poll(() => exportFrames(connection, 'logs', large)).toMatchObject({ code: 0 });
  connection.close();
});

test('bombs at once are refused for good', { timeout: 60_000 }, async () => {
  const bomb = framed(gzipSync(new Uint8Array(1_000_000_000), { level: 1 }), true);
  for (const { code, details } of await sendAtOnce(bomb, 'gzip')) {
    // Whoever is told when to try again would send a bomb again.
    expect({ code, details }).toEqual({ code: resourceExhausted, details: '' });
  }
});

test('a length that is only announced takes room from nobody, a message that never ends holds up nobody', async () => {
  const connection = openConnection(flyball.addresses.otlpGrpc);
  const announced = framed(new Uint8Array(60 * MIB)).subarray(0, 100);
  const waiting = Array.from({ length: 90 }, () => exportFrames(connection, 'logs', announced, { isEnded: false }));
  for (let sent = 0; sent < 5; sent += 1) expect(await sendGood()).toBe(1);
  connection.destroy();
  for (const { code } of await Promise.all(waiting)) expect(code).toBe(-1);
});

// Codes are those of grpc-js where it answers before we see a message: its INTERNAL for broken gzip is not ours to choose.
const packed = gzipSync(good());
test.each<[string, Uint8Array, Record<string, string>, number, RegExp]>([
  ['without a message', new Uint8Array(0), {}, unimplemented, /no request message/],
  ['cut in its prefix', framed(good()).subarray(0, 3), {}, unimplemented, /no request message/],
  ['cut', framed(good()).subarray(0, 20), {}, unimplemented, /no request message/],
  ['twice', Buffer.concat([framed(good()), framed(good())]), {}, unimplemented, /second request message/],
  ['in gzip that is none', framed(good(), true), { 'grpc-encoding': 'gzip' }, INTERNAL, /decompress/],
  ['in cut gzip', framed(packed.subarray(0, 30), true), { 'grpc-encoding': 'gzip' }, INTERNAL, /decompress/],
  ['compressed in no way', framed(packed, true), {}, invalidArgument, /OTLP_MALFORMED/],
  [
    'in JSON',
    framed(Buffer.from(requestOf('traces', 'a', [goodItem('traces')]))),
    {},
    invalidArgument,
    /OTLP_MALFORMED/,
  ],
  ['in snappy', framed(good(), true), { 'grpc-encoding': 'snappy' }, unimplemented, /unsupported encoding "snappy"/],
  ['to another method', framed(good()), { ':path': '/a.B/Export' }, unimplemented, /\/a.B\/Export/],
  ['that announces 2 GiB', Buffer.of(0, 127, 255, 255, 255, 1), {}, resourceExhausted, /larger than max .* 67108864/],
])('a call %s is refused for good: nobody sends it again for ever', async (_what, frames, headers, code, says) => {
  const connection = openConnection(flyball.addresses.otlpGrpc);
  const end = await exportFrames(connection, 'traces', frames, { headers });
  connection.close();
  expect(end).toMatchObject({ http: 200, code, message: expect.stringMatching(says) });
  expect(end.details.includes('google.rpc.BadRequest')).toBe(code === invalidArgument);
});

test('a call of another content type is told so in HTTP; one in deflate is taken', async () => {
  const connection = openConnection(flyball.addresses.otlpGrpc);
  const json = { headers: { 'content-type': 'application/json' } };
  expect(await exportFrames(connection, 'traces', framed(good()), json)).toMatchObject({ http: 415, code: -1 });
  const deflated = framed(deflateSync(good()), true);
  const deflate = { headers: { 'grpc-encoding': 'deflate' } };
  expect(await exportFrames(connection, 'traces', deflated, deflate)).toMatchObject({ code: 0 });
  connection.close();
});
