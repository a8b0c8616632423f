import { utf8 } from '@flyball/core';
import { openRedisHotStore, type RedisHotOptions, type RedisHotStore } from '@flyball/hot-redis';
import type { HotBatch, HotChange } from '@flyball/runtime';
import { hotStoreConformance, partForTest, type RealPart, redisWays } from '@flyball/testing';
import { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, describe, expect, test } from 'vitest';

// Goal: what holds for the hot store in memory holds for a real Redis, and what goes wrong there has a name. Method:
// the conformance suite, then faults: of the operator (password, permissions, certificate), of the server (killed,
// frozen, emptied, full).

const dir = mkdtempSync(join(tmpdir(), 'flyball-redis-'));
const SECRET = 'hunter2-hunter2';
const USERS = ['user default off', `user app on >${SECRET} ~flyball:* +@all -@dangerous`, `user other on >${SECRET}`];
const SMALL = 8 * 1024 * 1024;
const plain = await partForTest(redisWays(join(dir, 'plain')));
const closed = await partForTest(redisWays(join(dir, 'closed'), { tls: true, users: USERS }));
const small = await partForTest(redisWays(join(dir, 'small'), { maxMemoryBytes: SMALL }));

const stores: RedisHotStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});
afterAll(async () => {
  for (const part of [plain, closed, small]) if (!('missing' in part)) await part.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A store below a prefix of its own, which the users above may touch. */
async function open(url: string, env: object = {}, options: RedisHotOptions = {}): Promise<RedisHotStore> {
  const own = { prefix: `flyball:test:${randomUUID()}:`, commandTimeoutMs: 1_000, ...options };
  const store = await openRedisHotStore(url, { ...process.env, ...env }, own);
  stores.push(store);
  return store;
}

const window = (key: string, endMs: number, bytes = 20): HotChange => {
  return { type: 'window', kind: 'traces', key, endMs, value: utf8(`${endMs}`.padEnd(bytes)), isHeard: true };
};
const batch = (changes: readonly HotChange[], more: Partial<HotBatch> = {}): HotBatch => {
  return { lane: 'w/0', fromOffset: 0, offset: 10, isFirst: true, isCaughtUp: true, changes, ...more };
};
const next = (changes: readonly HotChange[]) => batch(changes, { fromOffset: 10, offset: 20, isFirst: false });

async function failure(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as Error,
  );
}

async function eventually(work: () => Promise<unknown>): Promise<void> {
  await expect.poll(() => work().then(() => 'works', String), { timeout: 10_000, interval: 50 }).toBe('works');
}

if ('missing' in plain) {
  test.skip(plain.missing, () => undefined);
} else {
  hotStoreConformance('Redis', (bounds) => open(plain.url, {}, bounds));
  ordinary(plain);
  describe('a Redis server', () => outages(plain));
}
if ('missing' in closed) test.skip(closed.missing, () => undefined);
else guarded(closed);
if ('missing' in small) test.skip(small.missing, () => undefined);
else full(small);

function ordinary({ url }: RealPart): void {
  test('every key is below the prefix, and goes by itself', async () => {
    const prefix = `flyball:test:${randomUUID()}:`;
    const store = await open(url, {}, { prefix });
    await store.apply(batch([window('a', 10), { type: 'gone', key: 'b', endMs: 10 }]));
    const redis = new Redis(url);
    const keys = await redis.keys(`${prefix}*`);
    expect(keys.map((key) => key.slice(prefix.length)).sort()).toEqual([
      ...['progress', 'subject:a', 'subject:b', 'subjects', 'windows:traces:a'],
    ]);
    for (const key of keys.filter((each) => !each.endsWith(':subjects'))) {
      expect(await redis.ttl(key)).toBeGreaterThan(7_190);
    }
    // Its keys went by themselves: a subject that only the index still names is not shown.
    await redis.del(`${prefix}subject:a`, `${prefix}windows:traces:a`);
    expect(await store.services()).toEqual([]);
    await redis.quit();
  });

  test('a script that the server has forgotten is sent again', async () => {
    const store = await open(url);
    await store.apply(batch([window('a', 10)]));
    const redis = new Redis(url);
    await redis.script('FLUSH');
    await redis.quit();
    expect(await store.apply(next([window('a', 20)]))).toBe(true);
    expect(await store.windows('a', 'traces')).toHaveLength(2);
  });

  test.each(['http://127.0.0.1', 'redis://', 'redis://h/x', 'redis://h?x=1', 'nonsense'])('refuses %s', async (bad) => {
    await expect(openRedisHotStore(bad, {})).rejects.toMatchObject({ code: 'CONFIG_INVALID', kind: 'rejected' });
  });

  test('a server that is not there is named, and opening does not wait for it', async () => {
    const startMs = performance.now();
    const store = await open('redis://127.0.0.1:1');
    const error = await failure(store.services());
    expect(error).toMatchObject({ code: 'HOT_UNAVAILABLE', cause: { message: expect.stringMatching(/ECONNREFUSED/) } });
    expect(performance.now() - startMs).toBeLessThan(3_000);
  });
}

function outages({ url, faults }: RealPart): void {
  if (faults === undefined) {
    test.skip('that was given is not ours to kill', () => undefined);
    return;
  }
  const { kill, restart, freeze, thaw } = faults;

  test('is emptied: the next batch says so, and the lane starts over', async () => {
    const store = await open(url);
    await store.apply(batch([window('a', 10)]));
    const redis = new Redis(url);
    await redis.flushall();
    await redis.quit();
    expect(await store.apply(next([window('a', 20)]))).toBe(false);
    expect(await store.services()).toEqual([]);
    expect(await store.apply(batch([window('a', 10), window('a', 20)]))).toBe(true);
    expect(await store.windows('a', 'traces')).toHaveLength(2);
  });

  test('is killed and comes back empty: named while it is away, noticed after', async () => {
    const store = await open(url);
    await store.apply(batch([window('a', 10)]));
    await kill();
    const calls = [store.services(), store.apply(next([])), store.progress(), store.windows('a', 'traces')];
    for (const error of await Promise.all(calls.map(failure))) expect(error).toMatchObject({ code: 'HOT_UNAVAILABLE' });
    // While it is away no call waits for the next try to connect.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const startMs = performance.now();
    await failure(store.services());
    expect(performance.now() - startMs).toBeLessThan(100);
    await restart();
    await eventually(() => store.services());
    expect(await store.apply(next([window('a', 20)]))).toBe(false);
    expect(await store.apply(batch([window('a', 10)]))).toBe(true);
  });

  test('is killed under load: every call ends', async () => {
    const store = await open(url);
    const batches = Array.from({ length: 200 }, (_, index) => store.apply(batch([window('a', index, 10_000)])));
    const ended = Promise.allSettled([...batches, ...Array.from({ length: 20 }, () => store.services())]);
    await kill();
    expect((await ended).filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
    await restart();
    await eventually(() => store.services());
  });

  test('is frozen: every call ends by name within its bounds, and works again after', async () => {
    const store = await open(url);
    await store.apply(batch([window('a', 10)]));
    await freeze();
    const startMs = performance.now();
    const errors = await Promise.all(
      [store.apply(next([window('a', 20)])), store.services(), store.windows('a', 'traces')].map(failure),
    );
    const tookMs = performance.now() - startMs;
    await thaw();
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'HOT_UNAVAILABLE', cause: { message: 'Command timed out' } });
    }
    expect(tookMs).toBeLessThan(2_500);
    // The answer that nobody waited for may have been given: the same batch again does no harm.
    await eventually(async () => expect(await store.apply(next([window('a', 20)]))).toBe(true));
    expect(await store.windows('a', 'traces')).toHaveLength(2);
  });
}

function guarded({ url, env = {} }: RealPart): void {
  const as = (user: string, password: string) => url.replace('//', `//${user}:${password}@`);

  describe('a Redis with TLS and users', () => {
    test('is used by a user who may touch our keys only, over TLS', async () => {
      const store = await open(as('app', SECRET), env);
      expect(await store.apply(batch([window('a', 10)]))).toBe(true);
      expect(await store.windows('a', 'traces')).toHaveLength(1);
      expect(await store.services()).toHaveLength(1);
      expect((await store.progress()).size).toBe(1);
    });

    test('takes the password from the environment, or from a file', async () => {
      const named = url.replace('//', '//app@');
      const file = join(dir, 'password');
      writeFileSync(file, `${SECRET}\n`);
      for (const more of [{ FLYBALL_REDIS_PASSWORD: SECRET }, { FLYBALL_REDIS_PASSWORD_FILE: file }]) {
        expect(await (await open(named, { ...env, ...more })).services()).toEqual([]);
      }
    });

    test.each([
      ['a wrong password', as('app', `${SECRET}-not`), env, /WRONGPASS/, /password/],
      ['no password', url, env, /NOAUTH/, /password/],
      ['a user without permissions', as('other', SECRET), env, /NOPERM/, /Permit/],
      ['an unknown authority', as('app', SECRET), {}, /certificate/, /FLYBALL_REDIS_CA_FILE/],
    ])('names %s, and keeps the password to itself', async (_name, at, more, said, hint) => {
      const store = await open(at, more);
      const calls = [() => store.apply(batch([window('a', 10)])), () => store.services(), () => store.service('a')];
      for (const call of [...calls, () => store.windows('a', 'traces'), () => store.progress()]) {
        const error = await failure(call());
        const expected = { code: 'HOT_UNAVAILABLE', hint: expect.stringMatching(hint) };
        expect(error).toMatchObject({ ...expected, cause: { message: expect.stringMatching(said) } });
        expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('hunter2');
      }
    });

    test('does not let a user touch keys beyond the prefix', async () => {
      const store = await open(as('app', SECRET), env, { prefix: 'elsewhere:' });
      expect(await failure(store.apply(batch([window('a', 10)])))).toMatchObject({ code: 'HOT_UNAVAILABLE' });
    });
  });
}

function full({ url }: RealPart): void {
  test('a full Redis refuses batches by name, whole ones, and goes on to be read', async () => {
    const store = await open(url);
    await store.apply(batch([window('a', 10)]));
    let [stored, failed] = [0, undefined as Error | undefined];
    while (failed === undefined && stored < 10_000) {
      const changes = Array.from({ length: 10 }, (_, index) => window(`s${stored}`, index + 1, 1_000));
      failed = await store.apply(batch(changes, { lane: `w/${stored}` })).then(
        () => undefined,
        (error: Error) => error,
      );
      if (failed === undefined) stored += 1;
    }
    expect(failed).toMatchObject({ code: 'HOT_UNAVAILABLE', hint: expect.stringMatching(/full/) });
    expect(await store.windows('a', 'traces')).toHaveLength(1);
    expect(await store.services()).toHaveLength(stored + 1);
    // Near the limit writes pass or fail by turns; what failed left nothing behind.
    const subjects = await store.services();
    for (const { key } of subjects) expect((await store.windows(key, 'traces')).length).toBe(key === 'a' ? 1 : 10);
  });
}
