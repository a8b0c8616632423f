import { subjectKey, windowsCodec } from '@flyball/contracts';
import { HOUR_MS, Prng } from '@flyball/core';
import { createLogger, HotSink, hotSources } from '@flyball/host';
import { MemoryHotStore } from '@flyball/memory';
import type { HotBatch, HotStore } from '@flyball/runtime';
import { FaultyHotStore } from '@flyball/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { assessmentOf, HotLog, subjectCalled, windowOf } from './hot-log.ts';

// Goal: the hot store shows what the log says, whatever happens to it, and the log never waits for it. Method: the real
// sink over a log and a store in memory, which fails, forgets and comes back; at last it must equal an untroubled one.

const logger = createLogger('silent');
const T = 1_800_000_000_000;
const EVENTUALLY = { timeout: 10_000, interval: 20 };
const keyOf = (service: string) => subjectKey(subjectCalled(service));

let hotLog: HotLog;
let hot: FaultyHotStore;
let sink: HotSink;
beforeEach(async () => {
  hotLog = new HotLog();
  await hotLog.create();
  hot = new FaultyHotStore(() => new MemoryHotStore());
  sink = new HotSink({ log: hotLog.log, hot }, logger);
});
afterEach(async () => {
  vi.useRealTimers();
  await sink.stop();
});

async function endsOf(store: HotStore, service: string): Promise<number[]> {
  const values = await store.windows(keyOf(service), 'traces');
  return values
    .map((value) => windowsCodec.decode({ value }))
    .map((message) => (message as { endMs: number }).endMs - T);
}

async function isComplete(): Promise<boolean> {
  const [sources, progress] = [await hotSources(hotLog.log), await hot.progress().catch(() => new Map())];
  for (const { lane, from } of sources) {
    const { endOffset } = await hotLog.log.range(from);
    if (progress.get(lane)?.isCaughtUp !== true || progress.get(lane).offset !== endOffset) return false;
  }
  return true;
}
const complete = () => expect.poll(isComplete, EVENTUALLY).toBe(true);

describe('a hot sink', () => {
  test('shows windows and the latest assessment, and says when it has caught up', async () => {
    await hotLog.window(windowOf('cart', T + 10));
    await hotLog.window(windowOf('cart', T + 20, 0));
    await hotLog.assessment(assessmentOf('cart', T + 10));
    await hotLog.assessment(assessmentOf('cart', T + 20));
    await sink.start();
    await complete();
    await hotLog.window(windowOf('cart', T + 30, 0));
    await complete();
    expect(await endsOf(hot, 'cart')).toEqual([10, 20, 30]);
    const service = await hot.service(keyOf('cart'));
    expect(service!.lastSeenAtMs).toBe(T + 10);
    expect(JSON.parse(new TextDecoder().decode(service!.assessment))).toMatchObject({ endMs: T + 20 });
  });

  test('says that an empty log is all there is', async () => {
    await sink.start();
    await complete();
    expect(await hot.services()).toEqual([]);
  });

  test('drops what was appended twice, and shows no subject that is gone', async () => {
    const first = await hotLog.window(windowOf('cart', T + 10));
    const judged = await hotLog.assessment(assessmentOf('cart', T + 10));
    await hotLog.window({ type: 'gone', subject: subjectCalled('cart'), endMs: T + 20 });
    await hotLog.again('flyball.windows', first);
    await hotLog.again('flyball.signals', judged);
    await hotLog.window(windowOf('shop', T + 20));
    await sink.start();
    await complete();
    expect((await hot.services()).map(({ key }) => key)).toEqual([keyOf('shop')]);
  });

  test('begins an hour before the newest, by log time', async () => {
    for (let minute = 0; minute <= 180; minute += 1) await hotLog.window(windowOf('cart', T + minute * 60_000));
    await sink.start();
    await complete();
    const ends = await endsOf(hot, 'cart');
    expect(ends.at(-1)).toBe(3 * HOUR_MS);
    expect(ends[0]).toBe(2 * HOUR_MS - 2 * 60_000);
  });

  test('goes on with the same batch when the store comes back', async () => {
    const seen: HotBatch[] = [];
    const apply = hot.apply.bind(hot);
    hot.apply = (batch) => {
      if (batch.lane.startsWith('flyball.windows/') && batch.changes.length > 0) seen.push(batch);
      return apply(batch);
    };
    hot.fault = () => 'before';
    await hotLog.window(windowOf('cart', T + 10));
    await sink.start();
    await expect.poll(() => seen.length, EVENTUALLY).toBeGreaterThan(1);
    await hotLog.window(windowOf('cart', T + 20));
    hot.fault = () => 'none';
    await complete();
    expect(seen[1]).toEqual(seen[0]);
    expect(await endsOf(hot, 'cart')).toEqual([10, 20]);
  });

  test('fills a store that was emptied, also when nothing new comes', async () => {
    await hotLog.window(windowOf('cart', T + 10));
    await sink.start();
    await complete();
    hot.empty();
    await hotLog.window(windowOf('cart', T + 20));
    await expect.poll(() => endsOf(hot, 'cart'), EVENTUALLY).toEqual([10, 20]);
    vi.useFakeTimers({ toFake: ['performance'] });
    hot.empty();
    vi.advanceTimersByTime(60_000);
    await complete();
    expect(await endsOf(hot, 'cart')).toEqual([10, 20]);
  });

  test('goes on where the log begins when it was trimmed beyond what was read', async () => {
    let calls = 0;
    hot.fault = () => (++calls > 0 ? 'before' : 'none');
    await hotLog.window(windowOf('cart', T + 10));
    await sink.start();
    await expect.poll(() => calls, EVENTUALLY).toBeGreaterThan(16); // Every lane has a batch in its hands.
    for (const end of [20, 30]) await hotLog.window(windowOf('cart', T + end));
    for (const { from } of await hotSources(hotLog.log)) await hotLog.log.trim(from, 2);
    hot.fault = () => 'none';
    await complete();
    expect(await endsOf(hot, 'cart')).toEqual([10, 30]);
  });

  test('leaves out what it cannot read', async () => {
    await hotLog.window(windowOf('cart', T + 10));
    await hotLog.nonsense('cart', T + 20);
    await hotLog.window(windowOf('cart', T + 30));
    await sink.start();
    await complete();
    expect(await endsOf(hot, 'cart')).toEqual([10, 30]);
  });

  test('stops at once, also while the store is away', async () => {
    let calls = 0;
    hot.fault = () => (++calls > 0 ? 'before' : 'none');
    await sink.start();
    await expect.poll(() => calls, EVENTUALLY).toBeGreaterThan(16);
    const startMs = performance.now();
    await sink.stop();
    expect(performance.now() - startMs).toBeLessThan(1_000);
  });

  test.each([1, 2, 3, 4, 5])(
    'equals an untroubled one at last, with a second writer beside it (seed %i)',
    async (seed) => {
      const dice = new Prng(seed);
      const second = new HotSink({ log: hotLog.log, hot }, logger);
      hot.fault = () => (dice.chance(0.2) ? (dice.chance(0.5) ? 'before' : 'after') : 'none');
      await sink.start();
      await second.start();
      for (let end = 1; end <= 60; end += 1) {
        const service = `service-${dice.below(4)}`;
        const record = await hotLog.window(windowOf(service, T + end, dice.below(2)));
        if (dice.chance(0.2)) await hotLog.again('flyball.windows', record);
        if (dice.chance(0.5)) await hotLog.assessment(assessmentOf(service, T + end));
        if (dice.chance(0.05)) await hotLog.window({ type: 'gone', subject: subjectCalled(service), endMs: T + end });
        if (dice.chance(0.05)) hot.empty();
        if (dice.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      hot.fault = () => 'none';
      // The last word on every lane: a store that was emptied just before is noticed by it.
      for (const lane of [0, 1, 2, 3, 4, 5, 6, 7]) await hotLog.window(windowOf(`last-${lane}`, T + 100));
      for (const lane of [0, 1, 2, 3, 4, 5, 6, 7]) await hotLog.assessment(assessmentOf(`last-${lane}`, T + 100));
      await complete();
      await second.stop();
      const calm = new MemoryHotStore();
      const other = new HotSink({ log: hotLog.log, hot: calm }, logger);
      await other.start();
      await expect.poll(async () => (await calm.progress()).size, EVENTUALLY).toBe(8);
      await expect
        .poll(async () => [...(await calm.progress()).values()].every((lane) => lane.isCaughtUp), EVENTUALLY)
        .toBe(true);
      await other.stop();
      const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
      expect((await hot.services()).toSorted(byKey)).toEqual((await calm.services()).toSorted(byKey));
      for (const { key } of await calm.services())
        expect(await hot.windows(key, 'traces')).toEqual(await calm.windows(key, 'traces'));
    },
  );
});
