import type { DeadLetter } from '@flyball/contracts';
import { Prng, textOf, UnavailableError, utf8 } from '@flyball/core';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import {
  type Checkpoint,
  CheckpointStore,
  type Codec,
  type Entry,
  type LanePorts,
  LaneRunner,
  type LaneSpec,
  Marks,
  type NewRecord,
  type Outbox,
  type Partition,
  ProcessDiedError,
  type Processor,
  provenanceOf,
} from '@flyball/runtime';
import { allRecords, altered, jsonCodec, seen } from '@flyball/testing';
import { beforeEach, expect, test } from 'vitest';

// Goal: no state is saved that is ahead of what was said, whatever fails between reading, saying and saving.
// Method: one lane that counts what it reads, between a log and a store that fail where the test says.

type Sums = { sums: { count: number; padding: string } };

/** Says `copies` times how much it has counted, each as large as the entry asks. */
class Counting implements Processor<{ copies: number; bytes: number }, Sums> {
  #count = 0;
  process({ body }: Entry<{ copies: number; bytes: number }>, outbox: Outbox<Sums>): void {
    for (let copy = 0; copy < body.copies; copy += 1) {
      this.#count += 1;
      outbox.emit('sums', 'all', { count: this.#count, padding: 'x'.repeat(body.bytes) });
    }
  }
  skip(): void {}
  snapshot(): Uint8Array {
    return utf8(String(this.#count));
  }
  restore(bytes: Uint8Array): void {
    this.#count = Number(textOf(bytes));
  }
}

type In = { copies: number; bytes: number };
const INBOX = { topic: 'numbers', partition: 0 };
const outlet = <Body>(topic: string) => ({ topic, codec: jsonCodec<Body>(), partitions: 1 });
const spec = (codec: Codec<In> = jsonCodec<In>()): LaneSpec<In, Sums> => ({
  name: 'counting',
  create: () => new Counting(),
  inbox: { topic: 'numbers', codec, foreign: true },
  outboxes: { sums: outlet('sums') },
  deadLetters: outlet<DeadLetter>('dead'),
  behaviour: 'counting@1',
});

let log: MemoryLog;
let objects: MemoryObjects;
const add = (count: number, body: In = { copies: 1, bytes: 0 }) =>
  log.append(
    INBOX,
    Array.from({ length: count }, () => ({ key: '', headers: {}, value: utf8(JSON.stringify(body)) })),
  );
const open = (ports: Partial<LanePorts> = {}, codec?: Codec<In>) =>
  LaneRunner.open(spec(codec), { log, objects, ...ports }, 0);
/** What a reader of the outbox counts, past the marks. */
const counts = async () =>
  (await seen(log, 'sums')).map((line) => (JSON.parse(line.replace(/^\S+ \S+ /, '')) as { count: number }).count);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

beforeEach(async () => {
  log = new MemoryLog(() => 1_000);
  objects = new MemoryObjects();
  for (const topic of ['numbers', 'sums', 'dead']) await log.create(topic, 1);
});

test('an entry that is missing in the middle stops the lane, and what came before it was said', async () => {
  await add(6);
  const holed = altered(log, {
    read: async (from: Partition, offset: number, maxBytes: number) =>
      (await log.read(from, offset, maxBytes)).filter((record) => record.offset !== 3),
  });
  const runner = await open({ log: holed });
  expect(await runner.pump()).toBe(3);
  await expect(runner.pump()).rejects.toMatchObject({ code: 'LOG_GAP', kind: 'unavailable' });
  await runner.checkpoint(); // A drain saves also then.
  const reopened = await open({ log: holed });
  expect(reopened.offset).toBe(3);
  await expect(reopened.pump()).rejects.toMatchObject({ code: 'LOG_GAP' });
  expect(await counts()).toEqual(upTo(3));
});

test('a codec that breaks kills the runner, which saves nothing of what it has not said', async () => {
  await add(3);
  let isBroken = true;
  const codec = {
    ...jsonCodec<In>(),
    decode: (record: { offset: number; value: Uint8Array }) => {
      if (isBroken && record.offset === 2) throw new TypeError('planted');
      return JSON.parse(textOf(record.value)) as In;
    },
  };
  const runner = await open({}, codec);
  const error: unknown = await runner.pump().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProcessDiedError);
  expect(error).toMatchObject({ offset: 2 });
  expect(await runner.checkpoint()).toBe(false);
  isBroken = false;
  await (await open({}, codec)).pump();
  expect(await counts()).toEqual(upTo(3));
});

test('a checkpoint that is put while the lane goes on is the one of an unbroken run', async () => {
  await add(40);
  const truth = new Map<string, string>();
  const unbroken = await open();
  do {
    await unbroken.checkpoint();
    for (const name of await objects.list('checkpoints/')) truth.set(name, textOf((await objects.get(name))!));
  } while ((await unbroken.pump(1)) > 0);
  for (let seed = 1; seed <= 20; seed += 1) {
    const dice = new Prng(seed);
    objects = new MemoryObjects();
    log = await copyOf(log);
    const put: (readonly [string, string])[] = [];
    const slow = altered(objects, {
      put: async (name: string, value: Uint8Array) => {
        for (let turns = dice.below(20); turns > 0; turns -= 1) await null;
        put.push([name, textOf(value)]);
        await objects.put(name, value);
      },
    });
    const runner = await open({ objects: slow });
    const saving: Promise<boolean>[] = [];
    while (runner.offset < 40) {
      const pumping = runner.pump(1);
      for (let turns = dice.below(12); turns > 0; turns -= 1) await null;
      saving.push(runner.checkpoint());
      await pumping;
    }
    expect((await Promise.all(saving)).filter(Boolean).length).toBeGreaterThan(5);
    for (const [name, text] of put) expect(text, `seed ${seed} ${name}`).toBe(truth.get(name));
  }
});

/** The same inbox, and nothing else. */
async function copyOf(other: MemoryLog): Promise<MemoryLog> {
  const copy = new MemoryLog(() => 1_000);
  for (const topic of ['numbers', 'sums', 'dead']) await copy.create(topic, 1);
  await copy.append(INBOX, await allRecords(other, 'numbers'));
  return copy;
}

test('a lane whose birth could not be put on record is born later, and is not taken for a lost one', async () => {
  await add(2);
  let isAway = true;
  const failing = altered(objects, {
    put: async (name: string, value: Uint8Array) => {
      if (isAway) throw new UnavailableError('OBJECTS_UNAVAILABLE', 'planted');
      await objects.put(name, value);
    },
  });
  await expect(open({ objects: failing })).rejects.toMatchObject({ code: 'OBJECTS_UNAVAILABLE' });
  isAway = false;
  await (await open({ objects: failing })).pump();
  expect(await counts()).toEqual(upTo(2));
});

test('what a lane says in its next life is above all that it said before', async () => {
  await add(3);
  await (await open()).pump();
  const { id: topicId } = await log.describe('numbers');
  const about = { lane: 'counting:numbers/0', topicId, behaviour: 'counting@1', last: null };
  const reset: Checkpoint = { ...about, epoch: 1, offset: 0, marks: new Marks().save(), state: utf8('100') };
  await new CheckpointStore(objects).put(reset);
  await (await open()).pump();
  expect((await counts()).sort((a, b) => a - b)).toEqual([...upTo(3), 101, 102, 103]);
});

test('much that is said at once is appended in order, in requests of a bounded size', async () => {
  const sizes: number[] = [];
  const measured = altered(log, {
    append: async (to: Partition, records: readonly NewRecord[]) => {
      if (to.topic === 'sums') sizes.push(records.reduce((sum, { value }) => sum + value.length, 0));
      return log.append(to, records);
    },
  });
  await add(1, { copies: 20, bytes: 300_000 });
  await add(3, { copies: 1, bytes: 1_500_000 });
  await (await open({ log: measured })).pump();
  for (const size of sizes) expect(size <= 1_000_000 || size > 1_500_000).toBe(true);
  expect(Math.max(...sizes)).toBeLessThan(1_600_000);
  const stored = (await allRecords(log, 'sums')).map((record) => provenanceOf(record.headers)!);
  expect(stored.map(({ position, index }) => position * 100 + index)).toEqual([
    ...Array.from({ length: 20 }, (_, index) => index),
    100,
    200,
    300,
  ]);
});
