import { buildApi, ControlWriter, listenApi, ReadModel } from '@flyball/api';
import { createLogger, HotSink } from '@flyball/host';
import { MemoryHotStore } from '@flyball/memory';
import { connect } from 'node:net';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assessmentOf, HotLog, windowOf } from '../hot/hot-log.ts';

// Goal: who follows the stream knows of every change within two seconds, misses nothing when it comes back, and harms nobody
// when it reads too slowly. Method: the real API over real sockets, over a log in memory.

const T = 1_800_000_000_000;
const SOON = { timeout: 2_000, interval: 20 };
const headers = { authorization: 'Bearer secret' };

let hotLog: HotLog;
let sink: HotSink;
let model: ReadModel;
let app: Awaited<ReturnType<typeof buildApi>>;
let port: number;
let isClosed = false;
const close = async () => {
  if (isClosed) return;
  isClosed = true;
  await Promise.all([app.close(), sink.stop(), model.stop()]);
};
beforeEach(async () => {
  isClosed = false;
  hotLog = new HotLog();
  await hotLog.create();
  const { log } = hotLog;
  const hot = new MemoryHotStore();
  sink = new HotSink({ log, hot }, createLogger('silent'));
  await sink.start();
  model = new ReadModel(log, hot);
  await model.start();
  const rest = { registry: new Registry(), token: 'secret', lanes: async () => [], isStopping: () => false };
  app = await buildApi({ model, words: new ControlWriter(log), ...rest });
  port = await listenApi(app, { host: '127.0.0.1', port: 0 });
  await expect.poll(() => model.isBehind).toBe(false);
});
afterEach(close);

interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** Follows the stream. Events come as they are read; `isOver` when the server has ended it. */
async function follow(lastId?: string) {
  const abort = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/v1/stream`, {
    headers: { ...headers, ...(lastId !== undefined && { 'last-event-id': lastId }) },
    signal: abort.signal,
  });
  const seen = { status: response.status, events: [] as Event[], isOver: false, end: () => abort.abort() };
  const read = async () => {
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]));
        const [id = '', event = '', data = 'null'] = ['id', 'event', 'data'].map((name) => fields.get(name));
        if (event !== '') seen.events.push({ id, event, data: JSON.parse(data) as unknown });
      }
    }
  };
  void read()
    .catch(() => undefined)
    .finally(() => (seen.isOver = true));
  await expect.poll(() => seen.events.length + (lastId === undefined ? 0 : 1), SOON).toBeGreaterThan(0);
  return seen;
}

const put = (reason: string) => app.inject({ method: 'PUT', url: '/v1/killswitch', headers, payload: { reason } });

test('a word, and services that change, are told of within two seconds', async () => {
  const seen = await follow();
  expect(seen.events[0]).toMatchObject({ event: 'reset' });
  await put('now');
  await expect
    .poll(() => seen.events.find(({ event }) => event === 'killswitch')?.data, SOON)
    .toMatchObject({ isPaused: true, reason: 'now', actor: 'token' });
  await hotLog.window(windowOf('cart', T));
  await hotLog.assessment(assessmentOf('cart', T));
  const told = () => seen.events.flatMap(({ event, data }) => (event === 'services' ? [data] : []));
  await expect.poll(() => told().at(-1), SOON).toMatchObject({ items: [{ id: 'prod:cart', state: 'ok' }], gone: [] });
  await hotLog.window({ type: 'gone', subject: windowOf('cart', T).subject, endMs: T });
  await expect.poll(() => told().at(-1), SOON).toMatchObject({ items: [], gone: ['prod:cart'] });
  seen.end();
});

test('who comes back gets what came meanwhile, once; who was away too long, or of another process, starts over', async () => {
  const first = await follow();
  await put('one');
  await expect.poll(() => first.events.some(({ event }) => event === 'killswitch'), SOON).toBe(true);
  const lastId = first.events.at(-1)!.id;
  first.end();
  await put('two');
  await expect.poll(() => model.killSwitch.get('default')?.reason, SOON).toBe('two');
  const second = await follow(lastId);
  const reasons = () => second.events.flatMap(({ event, data }) => (event === 'killswitch' ? [data] : []));
  await expect.poll(reasons, SOON).toMatchObject([{ reason: 'two' }]);
  expect(second.events.some(({ event }) => event === 'reset')).toBe(false);
  second.end();
  for (let index = 0; index < 3_000; index += 1) model.feed.publish('audit', { seq: index });
  for (const id of [lastId, 'other-1', 'nonsense', `${lastId.split('-')[0]}-999999`]) {
    const late = await follow(id);
    await expect.poll(() => late.events[0], SOON).toMatchObject({ event: 'reset' });
    late.end();
  }
});

test('who reads too slowly is let go, and nobody else notices', async () => {
  const slow = connect(port, '127.0.0.1');
  const isEnded = new Promise<void>((resolve) => slow.once('close', () => resolve()));
  slow.on('error', () => undefined);
  slow.write('GET /v1/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\n\r\n');
  await expect.poll(() => model.feed.followers, SOON).toBe(1);
  slow.pause();
  const quick = await follow();
  const text = 'x'.repeat(100_000);
  for (let index = 0; index < 400 && model.feed.followers === 2; index += 1) {
    model.feed.publish('audit', { text });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => model.feed.followers, SOON).toBe(1);
  const { body } = await app.inject({ url: '/metrics' });
  expect(body).toMatch(/^flyball_api_stream_dropped_total 1$/m);
  expect(quick.isOver).toBe(false);
  slow.resume();
  await isEnded;
  quick.end();
});

test('only so many follow at once, and a stop ends them all', async () => {
  const all = await Promise.all(Array.from({ length: 100 }, () => follow()));
  const response = await fetch(`http://127.0.0.1:${port}/v1/stream`, { headers });
  expect([response.status, await response.json()]).toMatchObject([503, { code: 'STREAM_FULL' }]);
  await close();
  await expect.poll(() => all.every(({ isOver }) => isOver), SOON).toBe(true);
});

test('nobody follows without a token', async () => {
  expect((await fetch(`http://127.0.0.1:${port}/v1/stream`)).status).toBe(401);
});
