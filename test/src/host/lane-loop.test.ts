import { EMPTY_BYTES, UnavailableError } from '@flyball/core';
import { createLogger, LaneLoop, type Pace } from '@flyball/host';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { activate, type AnyLaneSpec, type LaneSpec, type Log, resetLane } from '@flyball/runtime';
import { altered, jsonCodec } from '@flyball/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

// Goal: whoever asks how a lane is doing gets an answer, above all while the log gives none. Method: a lane over a log that goes
// away, in both ways: it refuses, or says nothing at all.

const AT = { topic: 'facts', partition: 0 };
/** A lane that failed waits a little longer each time. */
const SLOW = { timeout: 8_000 };
const record = { key: '', headers: {}, value: Buffer.from('1') };
const SPEC = {
  name: 'nothing',
  create: () => ({
    process: () => undefined,
    skip: () => undefined,
    snapshot: () => EMPTY_BYTES,
    restore: () => undefined,
  }),
  inbox: { topic: 'facts', codec: jsonCodec<number>(), foreign: false },
  outboxes: {},
  deadLetters: { topic: 'dead', codec: jsonCodec(), partitions: 1 },
  behaviour: 'test',
} as LaneSpec<number, Record<string, never>>;

let log: MemoryLog;
let objects: MemoryObjects;
let isAhead: boolean;
let away: 'here' | 'refusing' | 'silent';
/** Where something cannot be read, if anywhere. */
let spoiledAt: number | undefined;
let loop: LaneLoop<number, Record<string, never>>;

beforeEach(async () => {
  away = 'here';
  isAhead = false;
  spoiledAt = undefined;
  log = new MemoryLog(() => 0);
  objects = new MemoryObjects();
  for (const topic of ['facts', 'dead']) await log.create(topic, 1);
  const meet = async <T>(work: () => Promise<T>): Promise<T> => {
    if (away === 'silent') return new Promise<never>(() => undefined);
    if (away === 'refusing') throw new UnavailableError('LOG_UNAVAILABLE', 'planted: the log is away');
    return work();
  };
  const read: Log['read'] = async (from, offset, maxBytes) => {
    if (offset === spoiledAt) throw new UnavailableError('LOG_BATCH_UNREADABLE', 'planted: the disk has spoiled it');
    return log.read(from, offset, maxBytes);
  };
  const on = altered<Log>(log, {
    read: (from, offset, maxBytes) => meet(() => read(from, offset, maxBytes)),
    range: (of) => meet(() => log.range(of)),
  });
  const pace = { isAhead: () => isAhead, came: () => undefined, left: () => undefined } as unknown as Pace;
  const how = { logger: createLogger('silent'), uncleanAfterMs: 0, pace };
  loop = new LaneLoop(SPEC, { log: on, objects }, 0, how);
  loop.start();
  await log.append(AT, [record]);
  await expect.poll(() => loop.health()).toMatchObject({ state: 'running', offset: 1, lag: 0 });
});
afterEach(async () => {
  if (away === 'silent') return;
  away = 'here';
  await loop.stop();
});

test('a lane whose log is away says that it fails, and why; and runs again when it is back', async () => {
  away = 'refusing';
  await expect.poll(() => loop.health()).toMatchObject({ state: 'failing', code: 'LOG_UNAVAILABLE', lag: 0 });
  away = 'here';
  await log.append(AT, [record]);
  await expect.poll(() => loop.health(), { timeout: 5_000 }).toMatchObject({ state: 'running', code: '', offset: 2 });
});

test('a log that says nothing does not keep whoever asks for long', async () => {
  away = 'silent';
  expect(await loop.health()).toMatchObject({ offset: 1, lag: 0 });
}, 3_000);

test('a lane that waits for slower ones does not fail any more, though it reads nothing', async () => {
  away = 'refusing';
  await expect.poll(() => loop.health(), SLOW).toMatchObject({ state: 'failing' });
  isAhead = true;
  away = 'here';
  await expect.poll(() => loop.health(), SLOW).toMatchObject({ state: 'running', code: '', isAhead: true });
});

test('a lane that this process does not own has no lag here: an autoscaler would add processes for it', async () => {
  loop.own(false);
  await log.append(AT, [record]);
  await expect
    .poll(() => loop.health(), SLOW)
    .toMatchObject({ state: 'resting', lag: 0, lagSeconds: 0, isAhead: false });
  isAhead = true;
  loop.own(true);
  await expect.poll(() => loop.health(), SLOW).toMatchObject({ state: 'running', lag: 1, isAhead: true });
});

const released = (behaviour: string) => ({ ...SPEC, behaviour }) as unknown as AnyLaneSpec;

test('a lane that was given to another release, and is given back, runs again without a restart', async () => {
  await activate(log, [released('never started')], 'a mistake');
  await log.append(AT, [record]);
  await expect.poll(() => loop.health(), SLOW).toMatchObject({ state: 'resting', offset: 1 });
  await activate(log, [released('test')], 'as before');
  await expect.poll(() => loop.health(), SLOW).toMatchObject({ state: 'running', offset: 4, isUnclean: true });
});

test('a lane that is reset starts its new life without a restart', async () => {
  away = 'refusing';
  await expect.poll(() => loop.health(), SLOW).toMatchObject({ state: 'failing' });
  await log.append(AT, [record, record, record]);
  await log.trim(AT, 3);
  away = 'here';
  await expect.poll(() => loop.health(), SLOW).toMatchObject({ state: 'failing', code: 'LOG_GAP', offset: 1 });
  await resetLane({ log, objects }, 'nothing', AT);
  await log.append(AT, [record]);
  await expect.poll(() => loop.health(), SLOW).toMatchObject({ state: 'running', offset: 5 });
});

test('a lane that stands before what a disk has spoiled goes on behind it when it is reset, without a restart', async () => {
  spoiledAt = 1;
  await log.append(AT, [record]);
  await expect.poll(() => loop.health(), SLOW).toMatchObject({ state: 'failing', code: 'LOG_BATCH_UNREADABLE' });
  await resetLane({ log, objects }, 'nothing', AT);
  await log.append(AT, [record]);
  await expect.poll(() => loop.health(), SLOW).toMatchObject({ state: 'running', offset: 3 });
});
