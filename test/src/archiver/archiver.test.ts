import { Archiver, ArchiveReader } from '@flyball/archiver';
import { TOPOLOGY } from '@flyball/contracts';
import { utf8 } from '@flyball/core';
import { createLogger } from '@flyball/host';
import { laneName } from '@flyball/runtime';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { DAY_MS, expectSafe, expectWhole, readAll } from './archive-checks.ts';
import { ArchiveWorld, keyOf, places, SMALL, WRITTEN } from './archive-world.ts';

// Goal: whatever dies, whatever the store does and whoever else archives, no record leaves the log that is not in the archive or
// that a reader may still want, and in the end the archive holds every record, once and unchanged. Method: a log that grows,
// lanes with checkpoints, archivers killed between any two calls, a store that fails and garbles; the truth is kept beside.

const RUNS = 6;
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

test('nothing is lost, doubled or changed by deaths, a faulty store, and two archivers at once', async () => {
  const total = { kills: 0, faults: 0, trimmed: 0 };
  const property = fc.asyncProperty(seeds, async (seed) => {
    const world = new ArchiveWorld(seed);
    await world.open();
    Object.assign(world.faults, { fails: 0.02, garbles: 0.03 });
    for (let step = 0; step < 300; step += 1) {
      await world.grow();
      if (step % 3 === 0) await world.checkpoint();
      await world.work(0.7);
      if (step % 60 === 59) await expectSafe(world);
    }
    await world.settle();
    await expectWhole(world);
    await world.tidy();
    await expectSafe(world);
    await expectWhole(world);
    total.kills += world.report.kills;
    total.faults += world.report.faults;
    for (const topic of WRITTEN)
      for (const at of places(topic)) total.trimmed += (await world.log.range(at)).startOffset;
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
  expect(total.kills).toBeGreaterThan(0);
  expect(total.faults).toBeGreaterThan(0);
  expect(total.trimmed).toBeGreaterThan(20 * RUNS);
});

test('archivers that never die write the same names and bytes, wherever and whenever they run', async () => {
  const property = fc.asyncProperty(seeds, async (seed) => {
    const run = async (worksEvery: number) => {
      const world = new ArchiveWorld(seed);
      await world.open();
      for (let step = 0; step < 200; step += 1) {
        await world.grow();
        if (step % worksEvery === worksEvery - 1) await world.work(0, 1);
      }
      await world.settle();
      const names = (await world.objects.list('archive/')).filter((name) => !name.includes('_deleted'));
      return new Map(await Promise.all(names.map(async (name) => [name, await world.objects.get(name)] as const)));
    };
    // The dice of the two runs differ only in what no segment may depend on.
    const [calm, late] = [await run(1_000), await run(999)];
    expect(late).toEqual(calm);
    expect(calm.size).toBeGreaterThan(10);
  });
  await fc.assert(property, { numRuns: 5, endOnFailure: true });
});

async function filled(seed: number, config = SMALL): Promise<ArchiveWorld> {
  const world = new ArchiveWorld(seed, config);
  await world.open();
  for (let step = 0; step < 200; step += 1) await world.grow();
  await world.settle();
  return world;
}

const RAW = { topic: 'otlp_spans', partition: 0 } as const;
const startOf = async (world: ArchiveWorld) => (await world.log.range(RAW)).startOffset;

test('a lane without a checkpoint, or with one of another topic of the same name, forbids trimming; one that is there frees it', async () => {
  const world = await filled(1);
  world.clock.nowMs += DAY_MS;
  const end = world.truth.get(keyOf(RAW))!.length;
  await world.tidy();
  expect(await startOf(world)).toBe(0);
  await world.putCheckpoint('local:otlp_spans/0', RAW, end, 'another topic');
  await world.tidy();
  expect(await startOf(world)).toBe(0);
  for (const name of await world.objects.list('checkpoints/')) await world.objects.delete(name);
  await world.putCheckpoint('local:otlp_spans/0', RAW, 10);
  await world.putCheckpoint('local:otlp_spans/0', RAW, end);
  await world.tidy();
  expect(await startOf(world)).toBeLessThanOrEqual(10);
  await world.putCheckpoint('local:otlp_spans/0', RAW, end - 2);
  await world.putCheckpoint('local:otlp_spans/0', RAW, end - 1);
  await world.tidy();
  expect(await startOf(world)).toBeGreaterThan(10);
  await expectSafe(world);
});

test('a segment that is lost before the log lets go of it is archived again; after, the reader names it exactly', async () => {
  const world = await filled(2);
  const end = world.truth.get(keyOf(RAW))!.length;
  const [first, second] = (await world.objects.list('archive/default/otlp_spans/')).filter((name) =>
    name.includes('/0/'),
  );
  await world.objects.put(first!, new Uint8Array([1, 2, 3]));
  await world.putCheckpoint('local:otlp_spans/0', RAW, end);
  world.clock.nowMs += DAY_MS;
  await world.tidy();
  expect(await startOf(world)).toBe(0);
  await world.settle();
  await expectWhole(world);
  await world.tidy();
  expect(await startOf(world)).toBeGreaterThan(0);
  await expectWhole(world);

  const bytes = await world.objects.get(second!);
  const flipped = Uint8Array.from(bytes!);
  flipped[flipped.length >> 1]! ^= 1;
  await world.objects.put(second!, flipped);
  const { gaps, found } = await readAll(world);
  const [firstOffset, lastOffset] = second!.split('/').at(-1)!.split('-').map(Number) as [number, number];
  expect(gaps).toMatchObject([
    { ...RAW, fromOffset: firstOffset, toOffset: lastOffset + 1, reason: 'corrupt', object: second },
  ]);
  const truth = world.truth.get(keyOf(RAW))!.filter(({ offset }) => offset < firstOffset || offset > lastOffset);
  expect(found.get(keyOf(RAW))).toEqual(truth);
  await world.objects.delete(second!);
  expect((await readAll(world)).gaps).toMatchObject([{ fromOffset: firstOffset, reason: 'missing', object: second }]);
});

test('a manifest that is gone or cut short is a gap of its offsets, and only ranges that touch it name it', async () => {
  const world = await filled(3);
  const manifests = (await world.objects.list('archive/_manifests/otlp_spans/')).filter((name) => name.includes('/0/'));
  const [first, last, minAtMs, untilMs] = manifests[2]!.split('/').at(-1)!.split('-').map(Number) as number[];
  await world.objects.delete(manifests[2]!);
  expect((await readAll(world)).gaps).toMatchObject([
    { fromOffset: first, toOffset: last! + 1, reason: 'missing', object: '' },
  ]);
  const reader = new ArchiveReader(world.objects);
  const topics = ['otlp_spans'];
  expect((await reader.plan({ topics, fromMs: 0, toMs: minAtMs! })).gaps).toEqual([]);
  expect((await reader.plan({ topics, fromMs: untilMs! + 1, toMs: Infinity })).gaps).toEqual([]);
  expect((await reader.plan({ topics, fromMs: minAtMs!, toMs: untilMs! })).gaps).toHaveLength(1);
  await world.objects.put(manifests[1]!, new TextEncoder().encode('{}'));
  expect((await readAll(world)).gaps.map(({ reason, object }) => [reason, object])).toEqual([
    ['corrupt', manifests[1]],
    ['missing', ''],
  ]);
});

test('a range of one instant holds all that was appended at it, also where a segment was cut within that instant', async () => {
  const world = new ArchiveWorld(3, { ...SMALL, segmentBytes: 4_096 });
  await world.open();
  for (let step = 0; step < 400; step += 1) await world.grow();
  await world.settle();
  const reader = new ArchiveReader(world.objects);
  for (const [key, truth] of world.truth) {
    const topics = [key.slice(0, key.lastIndexOf('/'))];
    for (const fromMs of new Set(truth.map(({ appendedAtMs }) => appendedAtMs))) {
      const plan = await reader.plan({ topics, fromMs, toMs: fromMs + 1 });
      const found: number[] = [];
      for await (const { topic, partition, record } of reader.read(plan))
        if (keyOf({ topic, partition }) === key) found.push(record.offset);
      const wanted = truth.filter(({ appendedAtMs }) => appendedAtMs === fromMs).map(({ offset }) => offset);
      expect(found, `${key} at ${fromMs}`).toEqual(wanted);
    }
  }
});

test('archivers with other sizes overlap, and every record is read once all the same', async () => {
  const world = await filled(7);
  const other = await filled(7, { ...SMALL, segmentMs: 7_000, segmentBytes: 4_100 });
  const own = new Set(await world.objects.list('archive/'));
  for (const name of await other.objects.list('archive/'))
    await world.objects.create(name, (await other.objects.get(name))!);
  await expectWhole(world);
  // What one of them lost, the other may still hold.
  const theirs = (await other.objects.list('archive/_manifests/otlp_spans/')).filter((name) => !own.has(name));
  const [first, second] = theirs;
  expect(theirs.length).toBeGreaterThan(3);
  await world.objects.delete(first!);
  await world.objects.put(second!, new Uint8Array(0));
  await expectWhole(world);
});

test('the log and the archive stay within their bytes, the oldest goes first, and what was deleted is a gap that says so', async () => {
  const bounded = {
    ...SMALL,
    rawLogMs: DAY_MS,
    derivedLogMs: DAY_MS,
    logBytes: 20_000,
    archiveMs: 0,
    archiveBytes: 15_000,
  };
  const world = await filled(4, bounded);
  for (const topic of WRITTEN) {
    for (const reader of TOPOLOGY[topic].readers) {
      for (const at of places(topic)) {
        await world.putCheckpoint(laneName(reader, topic, at.partition), at, world.truth.get(keyOf(at))!.length);
      }
    }
  }
  await world.tidy();
  let logBytes = 0;
  const starts: number[] = [];
  for (const topic of WRITTEN.filter((each) => !TOPOLOGY[each].isKept)) {
    for (const at of places(topic)) {
      const { startOffset } = await world.log.range(at);
      const kept = world.truth.get(keyOf(at))!.slice(startOffset);
      logBytes += kept.reduce((sum, { value }) => sum + value.length, 0);
      starts.push(kept[0]?.appendedAtMs ?? Infinity);
    }
  }
  expect(logBytes).toBeLessThanOrEqual(20_000);
  expect(logBytes).toBeGreaterThan(10_000);
  expect(Math.max(...starts) - Math.min(...starts)).toBeLessThanOrEqual(2 * SMALL.segmentMs + 30_000);
  await world.tidy();
  const { gaps, found } = await readAll(world);
  expect(gaps.length).toBeGreaterThan(0);
  for (const gap of gaps) {
    expect(gap).toMatchObject({ fromOffset: 0, reason: 'deleted' });
    const truth = world.truth.get(keyOf(gap))!;
    expect(gap.beforeMs).toBe(Math.max(...truth.slice(0, gap.toOffset!).map(({ appendedAtMs }) => appendedAtMs)));
    expect(found.get(keyOf(gap))).toEqual(truth.slice(gap.toOffset!));
  }
  await expectSafeKept(world);
});

/** Facts that the log keeps for ever are whole in the archive too. */
async function expectSafeKept(world: ArchiveWorld): Promise<void> {
  const { found } = await readAll(world);
  for (const at of places('flyball.control')) expect(found.get(keyOf(at))).toEqual(world.truth.get(keyOf(at)));
}

test.each([50, 400])(
  'an archive that holds other records than its log (%i appends) is neither added to nor trimmed by',
  async (appends) => {
    const world = await filled(5);
    const other = new ArchiveWorld(6);
    await other.open();
    for (let step = 0; step < appends; step += 1) await other.grow();
    for (const name of await world.objects.list('archive/'))
      await other.objects.put(name, (await world.objects.get(name))!);
    const before = await other.objects.list('archive/default/otlp_spans/');
    await other.putCheckpoint('local:otlp_spans/0', RAW, 10_000);
    other.clock.nowMs += DAY_MS;
    await other.settle();
    await other.tidy();
    expect(await startOf(other)).toBe(0);
    expect(await other.objects.list('archive/default/otlp_spans/')).toEqual(before);
  },
);

test('a log that gives out nothing of what it holds is asked again; what is archived is not continued by another log', async () => {
  const world = await filled(7);
  const read = world.log.read.bind(world.log);
  let last: 'as it is' | 'mute' | 'another' = 'mute';
  vi.spyOn(world.log, 'read').mockImplementation(async (at, offset, maxBytes) => {
    const records = await read(at, offset, maxBytes);
    if (maxBytes > 1 || last === 'as it is') return records;
    return last === 'mute' ? [] : records.map((record) => ({ ...record, value: utf8('another') }));
  });
  const stores = { checkpoints: world.objects, archive: world.objects };
  const more = { logger: createLogger('silent'), nowMs: () => world.clock.nowMs };
  const archiver = new Archiver(SMALL, { log: world.log, ...stores, ...more });
  await archiver.join();
  const codes = async () => {
    await archiver.round();
    return [...new Set((await archiver.health()).map(({ code }) => code).filter(Boolean))];
  };
  expect(await codes()).toEqual(['LOG_UNAVAILABLE']);
  last = 'another';
  expect(await codes()).toEqual(['ARCHIVE_AHEAD']);
  last = 'as it is';
  expect(await codes()).toEqual([]);
});
