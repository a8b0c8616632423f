import { EMPTY_BYTES, MINUTE_MS, Prng, SECOND_MS, UnavailableError } from '@flyball/core';
import { createLogger, LaneLoop, Pace } from '@flyball/host';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import type { LaneSpec, Log } from '@flyball/runtime';
import { altered, jsonCodec } from '@flyball/testing';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';

// Goal: while one lane catches up, whoever merges the lanes holds a minute of the others, not hours; and no lane waits for one
// that has nothing to say, or that nobody can reach. Method: paces of two processes over one log, whose clocks are the test's.

const TOPIC = 'facts';
const HOUR_SECONDS = 3_600;
const logger = createLogger('silent');
const at = (partition: number) => ({ topic: TOPIC, partition });

let nowMs: number;
let log: MemoryLog;
let isAway: boolean;
let isCoordinatorAway: boolean;
/** A log whose partition 1 may not answer, or nobody who knows the progress of the others. */
let on: Log;

beforeEach(async () => {
  nowMs = 0;
  isAway = false;
  isCoordinatorAway = false;
  log = new MemoryLog(() => nowMs);
  for (const topic of [TOPIC, 'dead']) await log.create(topic, 2);
  on = altered<Log>(log, {
    range: async (of) => {
      if (isAway && of.partition === 1) throw new UnavailableError('LOG_UNAVAILABLE', 'planted: the leader is away');
      return log.range(of);
    },
    progress: async (...of) => {
      if (isCoordinatorAway) throw new UnavailableError('LOG_UNAVAILABLE', 'planted: the coordinator is away');
      return log.progress(...of);
    },
  });
});

/** A pace of a process of its own, whose clock is a second on whenever it looks. */
function newPace(): Pace {
  let monotonicMs = 0;
  return new Pace({ log: on, logger }, { processor: 'local', topic: TOPIC }, () => (monotonicMs += SECOND_MS));
}

const LANES = 6;
const RECORDS = 60;
const STORM_ROUNDS = 40;
const CALM_ROUNDS = 400;

/**
 * Lanes of three processes, a record per ten seconds of log time. In the storm their owners change at every turn, who comes back to a lane
 * goes on where it had left it, and what is told comes late, in another order, or never. Returns the lanes that are not at their
 * ends long after the storm.
 */
async function lagAfterStorm(dice: Prng): Promise<readonly number[]> {
  const lanes = [...Array(LANES).keys()];
  const memory = new MemoryLog(() => 0);
  await memory.create(TOPIC, LANES);
  for (const partition of lanes) {
    const records = Array.from({ length: RECORDS }, () => ({ key: '', headers: {}, value: EMPTY_BYTES }));
    await memory.append(at(partition), records);
  }
  let [isStorm, nowMs] = [true, 0];
  const onTheWay: (() => Promise<void>)[] = [];
  const bad = altered<Log>(memory, {
    commit: async (...told) => {
      if (!isStorm) return memory.commit(...told);
      if (dice.chance(1 / 3)) throw new UnavailableError('LOG_UNAVAILABLE', 'planted: the coordinator is away');
      onTheWay.push(() => memory.commit(...told));
    },
  });
  const processes = [0, 1, 2].map(() => ({
    pace: new Pace({ log: bad, logger }, { processor: 'local', topic: TOPIC }, () => nowMs),
    offsets: lanes.map(() => 0),
  }));
  const owners = lanes.map(() => 0);
  for (let round = 0; round < STORM_ROUNDS + CALM_ROUNDS; round += 1) {
    isStorm = round < STORM_ROUNDS;
    nowMs += SECOND_MS / 2;
    if (isStorm) {
      const moved = dice.below(LANES);
      processes[owners[moved]!]!.pace.left(moved);
      owners[moved] = dice.below(processes.length);
      if (onTheWay.length > 0 && dice.chance(0.5)) await onTheWay.splice(dice.below(onTheWay.length), 1)[0]!();
    }
    for (const lane of lanes) {
      const { pace, offsets } = processes[owners[lane]!]!;
      if (pace.isAhead(lane)) continue;
      offsets[lane] = Math.min(RECORDS, offsets[lane]! + dice.below(isStorm ? 4 : 2));
      pace.came(lane, { offset: offsets[lane]!, reachedMs: offsets[lane]! * 10 * SECOND_MS });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return lanes.filter((lane) => processes[owners[lane]!]!.offsets[lane]! < RECORDS);
}

/** What a pace says once it knows what there is to know. */
async function isAhead(pace: Pace, partition: number): Promise<boolean> {
  for (let look = 0; look < 3; look += 1) {
    pace.isAhead(partition);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return pace.isAhead(partition);
}

async function addRecords(partition: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, () => ({ key: '', headers: {}, value: Buffer.from('1') }));
  await log.append(at(partition), records);
}

test.each([
  ['one process runs both lanes', true],
  ['they run in two processes', false],
])('who is more than a minute ahead of a lane that has more to read waits for it, where %s', async (_, isShared) => {
  const fast = newPace();
  const slow = isShared ? fast : newPace();
  for (const partition of [0, 1]) await addRecords(partition, 10);
  slow.came(1, { offset: 1, reachedMs: SECOND_MS });
  fast.came(0, { offset: 5, reachedMs: SECOND_MS + MINUTE_MS });
  expect(await isAhead(fast, 0)).toBe(false);
  fast.came(0, { offset: 6, reachedMs: 2 * SECOND_MS + MINUTE_MS });
  expect(await isAhead(fast, 0)).toBe(true);
  expect(await isAhead(slow, 1)).toBe(false);
  slow.came(1, { offset: 9, reachedMs: 20 * SECOND_MS });
  expect(await isAhead(fast, 0)).toBe(false);
});

test('a lane with nothing left to read holds nobody up', async () => {
  const pace = newPace();
  for (const partition of [0, 1]) await addRecords(partition, 10);
  pace.came(1, { offset: 10, reachedMs: SECOND_MS });
  pace.came(0, { offset: 5, reachedMs: 10 * MINUTE_MS });
  expect(await isAhead(pace, 0)).toBe(false);
  await addRecords(1, 1);
  expect(await isAhead(pace, 0)).toBe(true);
});

test('a partition that does not answer holds nobody up: its down rule could never close a window else', async () => {
  const pace = newPace();
  for (const partition of [0, 1]) await addRecords(partition, 10);
  pace.came(1, { offset: 1, reachedMs: SECOND_MS });
  pace.came(0, { offset: 5, reachedMs: 10 * MINUTE_MS });
  isAway = true;
  expect(await isAhead(pace, 0)).toBe(false);
  isAway = false;
  expect(await isAhead(pace, 0)).toBe(true);
});

test('lanes of another process of which nothing can be learned hold nobody up: to keep together is not worth a stop', async () => {
  const [pace, other] = [newPace(), newPace()];
  for (const partition of [0, 1]) await addRecords(partition, 10);
  other.came(1, { offset: 1, reachedMs: SECOND_MS });
  pace.came(0, { offset: 5, reachedMs: 10 * MINUTE_MS });
  expect(await isAhead(pace, 0)).toBe(true);
  isCoordinatorAway = true;
  expect(await isAhead(pace, 0)).toBe(true);
  for (let look = 0; look < 20; look += 1) await isAhead(pace, 0);
  expect(await isAhead(pace, 0)).toBe(false);
  isCoordinatorAway = false;
  expect(await isAhead(pace, 0)).toBe(true);
});

test('a lane that this process has given away is not believed to stand where it was left', async () => {
  const pace = newPace();
  const other = newPace();
  for (const partition of [0, 1]) await addRecords(partition, 10);
  pace.came(1, { offset: 1, reachedMs: SECOND_MS });
  pace.left(1);
  other.came(1, { offset: 9, reachedMs: 10 * MINUTE_MS });
  pace.came(0, { offset: 5, reachedMs: 10 * MINUTE_MS });
  expect(await isAhead(pace, 0)).toBe(false);
});

test('lanes that know each other as they were long ago do not wait for each other for ever', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      expect(await lagAfterStorm(new Prng(seed))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('two lanes over an hour of backlog, one of which cannot read: the other stops a minute ahead, and both end in the end', async () => {
  const reads: number[] = [];
  let mayRead = false;
  const spec = {
    name: 'local',
    create: (partition: number) => ({
      process: ({ atMs }: { atMs: number }) => void (reads[partition] = atMs),
      skip: () => undefined,
      snapshot: () => EMPTY_BYTES,
      restore: () => undefined,
    }),
    inbox: { topic: TOPIC, codec: jsonCodec<number>(), foreign: true },
    outboxes: {},
    deadLetters: { topic: 'dead', codec: jsonCodec(), partitions: 1 },
    behaviour: 'test',
  } as LaneSpec<number, Record<string, never>>;
  const stalled = altered<Log>(log, {
    read: async (from, offset, maxBytes) => {
      if (from.partition === 1 && offset > 0 && !mayRead)
        throw new UnavailableError('LOG_UNAVAILABLE', 'planted: slow');
      return log.read(from, offset, Math.min(maxBytes, 1));
    },
  });
  const pace = newPace();
  const objects = new MemoryObjects();
  const loops = [0, 1].map((partition) => new LaneLoop(spec, { log: stalled, objects }, partition, { logger, pace }));
  for (const loop of loops) loop.start();
  await expect
    .poll(() => Promise.all(loops.map(async (loop) => (await loop.health()).state)))
    .toEqual(['running', 'running']);
  for (let second = 0; second < HOUR_SECONDS / 10; second += 1) {
    nowMs = second * 10 * SECOND_MS;
    await Promise.all([0, 1].map((partition) => addRecords(partition, 1)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => loops[0]!.health()).toMatchObject({ isAhead: true });
  expect(reads[0]! - reads[1]!).toBeLessThanOrEqual(MINUTE_MS + 20 * SECOND_MS);
  mayRead = true;
  const ends = { timeout: 10_000 };
  for (const loop of loops) await expect.poll(() => loop.health(), ends).toMatchObject({ lag: 0, isAhead: false });
  await Promise.all(loops.map((loop) => loop.stop()));
});
