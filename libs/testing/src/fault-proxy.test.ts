import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultProxy } from './fault-proxy.ts';

// Goal: each fault does to a connection what its name says, and what heals is whole or reset, never a stream with a hole.
// Method: an echo server that remembers what reached it, and a client of it through the proxy.

const WAIT_MS = 60;

const heard: string[] = [];
const sockets = new Set<Socket>();
const echo = createServer((socket) => {
  sockets.add(socket.on('error', () => undefined));
  socket.on('data', (bytes) => {
    heard.push(bytes.toString());
    socket.write(bytes);
  });
});
let proxy: FaultProxy;

beforeEach(async () => {
  heard.length = 0;
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await FaultProxy.start((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  await proxy.stop();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => echo.close(resolve));
  // One that is left behind keeps its process alive.
  await expect.poll(openSockets).toBe(0);
});

/** A client, and what it has got so far: answers, and the code of the error or `closed` at its end. */
async function client(): Promise<{ say: (text: string) => void; got: string[]; socket: Socket }> {
  const got: string[] = [];
  const socket = connect(proxy.port, '127.0.0.1');
  socket.on('data', (bytes) => got.push(bytes.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => got.push(error.code!));
  socket.on('end', () => got.push('closed'));
  await once(socket, 'connect').catch(() => undefined);
  return { say: (text) => void socket.write(text), got, socket };
}

test('passes both ways, and the end of either side', async () => {
  const { say, got, socket } = await client();
  say('a');
  await expect.poll(() => got).toEqual(['a']);
  socket.end();
  await expect.poll(() => got).toEqual(['a', 'closed']);
});

test('a server that is not there is a connection that closes', async () => {
  const nowhere = await FaultProxy.start(1);
  const socket = connect(nowhere.port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'close');
  await nowhere.stop();
});

test('cut: connections are reset, new ones too, until it passes again', async () => {
  const { say, got } = await client();
  say('a');
  await expect.poll(() => got).toEqual(['a']);
  proxy.set('cut');
  await expect.poll(() => got).toEqual(['a', 'ECONNRESET']);
  const late = await client();
  await expect.poll(() => late.got).toEqual(['ECONNRESET']);
  proxy.set('pass');
  const next = await client();
  next.say('b');
  await expect.poll(() => next.got).toEqual(['b']);
  expect(heard).toEqual(['a', 'b']);
});

test.each([
  ['black-hole', []],
  ['no-answers', ['b', 'c']],
  ['no-requests', []],
] as const)('%s: the server hears %j of two requests; the connection is reset when it heals', async (fault, server) => {
  const old = await client();
  old.say('a');
  await expect.poll(() => old.got).toEqual(['a']);
  proxy.set(fault);
  const fresh = await client();
  old.say('b');
  await pause(WAIT_MS);
  fresh.say('c');
  await pause(WAIT_MS);
  expect(heard).toEqual(['a', ...server]);
  expect([old.got, fresh.got]).toEqual([['a'], []]);
  proxy.set('pass');
  await expect.poll(() => [old.got, fresh.got]).toEqual([['a', 'ECONNRESET'], ['ECONNRESET']]);
});

test('no-requests: what was asked before is answered', async () => {
  const { say, got } = await client();
  proxy.delayMs = WAIT_MS;
  say('a');
  await expect.poll(() => heard).toEqual(['a']);
  proxy.set('no-requests');
  say('b');
  await expect.poll(() => got).toEqual(['a']);
  await pause(2 * WAIT_MS);
  expect(heard).toEqual(['a']);
});

test('a connection that lost nothing outlives a black hole', async () => {
  const { say, got } = await client();
  proxy.set('black-hole');
  await pause(WAIT_MS);
  proxy.set('pass');
  say('a');
  await expect.poll(() => got).toEqual(['a']);
});

test('clog: bytes wait, and arrive late and in order, also those of a client that has gone', async () => {
  const { say, got, socket } = await client();
  proxy.set('clog');
  for (const text of ['a', 'b', 'c']) say(text);
  await pause(WAIT_MS);
  expect(heard).toEqual([]);
  const gone = await client();
  gone.say('d');
  gone.socket.end();
  await pause(WAIT_MS);
  proxy.set('pass');
  await expect.poll(() => got.join('')).toBe('abc');
  await expect.poll(() => heard.join('')).toMatch(/abcd|dabc/);
  socket.destroy();
});

test('delay: every byte is late, and none overtakes another when the delay shrinks', async () => {
  const { say, got } = await client();
  proxy.delayMs = WAIT_MS;
  const fromMs = performance.now();
  say('a');
  await pause(5);
  proxy.delayMs = 0;
  say('b');
  await expect.poll(() => got.join(''), { interval: 2 }).toBe('ab');
  expect(performance.now() - fromMs).toBeGreaterThanOrEqual(WAIT_MS - 1);
});

test('loses so many answers, each with its connection', async () => {
  proxy.lossesLeft = 1;
  const unlucky = await client();
  unlucky.say('a');
  await expect.poll(() => unlucky.got).toEqual(['ECONNRESET']);
  const lucky = await client();
  lucky.say('b');
  await expect.poll(() => lucky.got).toEqual(['b']);
  expect([heard, proxy.lossesLeft]).toEqual([['a', 'b'], 0]);
});

/** Sockets that are open in this process. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}
