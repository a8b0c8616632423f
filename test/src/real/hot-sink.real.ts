import { Prng } from '@flyball/core';
import { subjectKey } from '@flyball/contracts';
import { createLogger, HotSink, hotSources } from '@flyball/host';
import { openRedisHotStore } from '@flyball/hot-redis';
import { MemoryHotStore } from '@flyball/memory';
import type { HotStore, Log } from '@flyball/runtime';
import { partForTest, type RealPart, redisWays } from '@flyball/testing';
import { Redis } from 'ioredis';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { assessmentOf, HotLog, subjectCalled, windowOf } from '../hot/hot-log.ts';

// Goal: a real Redis that is killed, frozen and emptied under the sink shows, at last, what a store shows that nothing
// happened to. Method: faults by dice while the log grows; then compare with a store in memory.

const T = 1_800_000_000_000;
const WINDOWS = 400;
const dir = mkdtempSync(join(tmpdir(), 'flyball-sink-'));
const part = await partForTest(redisWays(dir));
afterAll(async () => {
  if (!('missing' in part)) await part.stop();
  rmSync(dir, { recursive: true, force: true });
});

if ('missing' in part) test.skip(part.missing, () => undefined);
else
  test.skipIf(part.faults === undefined).each([1, 2, 3])('a troubled Redis (seed %i)', (seed) => trouble(part, seed));

async function trouble({ url, faults }: RealPart, seed: number): Promise<void> {
  const { kill, restart, freeze, thaw } = faults!;
  const dice = new Prng(seed);
  const hotLog = new HotLog();
  await hotLog.create();
  const hot = await openRedisHotStore(url, {}, { prefix: `flyball:test:${seed}:`, commandTimeoutMs: 300 });
  const sink = new HotSink({ log: hotLog.log, hot }, createLogger('silent'));
  await sink.start();
  for (let end = 1; end <= WINDOWS; end += 1) {
    const service = `service-${dice.below(5)}`;
    await hotLog.window(windowOf(service, T + end, dice.below(2)));
    await hotLog.assessment(assessmentOf(service, T + end));
    if (dice.chance(0.02)) await hotLog.window({ type: 'gone', subject: subjectCalled(service), endMs: T + end });
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (end % 80 !== 40) continue;
    const fault = dice.below(3);
    if (fault === 0) {
      await kill();
      await restart();
    } else if (fault === 1) {
      await freeze();
      await new Promise((resolve) => setTimeout(resolve, 700));
      await thaw();
    } else {
      const redis = new Redis(url);
      await redis.flushall();
      await redis.quit();
    }
  }
  await complete(hotLog.log, hot);
  const calm = new MemoryHotStore();
  const other = new HotSink({ log: hotLog.log, hot: calm }, createLogger('silent'));
  await other.start();
  await complete(hotLog.log, calm);
  const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
  expect((await hot.services()).toSorted(byKey)).toEqual((await calm.services()).toSorted(byKey));
  for (let index = 0; index < 5; index += 1) {
    const key = subjectKey(subjectCalled(`service-${index}`));
    expect(await hot.windows(key, 'traces')).toEqual(await calm.windows(key, 'traces'));
  }
  await Promise.all([sink.stop(), other.stop()]);
  await hot.close();
}

async function complete(log: Log, hot: HotStore): Promise<void> {
  const isComplete = async () => {
    const progress = await hot.progress().catch(() => undefined);
    for (const { lane, from } of await hotSources(log)) {
      const { endOffset } = await log.range(from);
      const { offset, isCaughtUp } = progress?.get(lane) ?? { offset: -1, isCaughtUp: false };
      if (!isCaughtUp || offset !== endOffset) return false;
    }
    return true;
  };
  // An idle lane notices within ten seconds that the store was emptied.
  await expect.poll(isComplete, { timeout: 25_000, interval: 50 }).toBe(true);
}
