import type { DeadLetter } from '@flyball/contracts';
import { RejectedError, textOf, utf8 } from '@flyball/core';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import {
  DEATHS_MAX,
  type Entry,
  type LaneSpec,
  LaneRunner,
  laneName,
  type Outbox,
  type NewRecord,
  ProcessDiedError,
  type Processor,
  PROVENANCE_HEADER,
  recordDeath,
} from '@flyball/runtime';
import { allRecords, type AppendFault, FaultyLog, jsonCodec, seen } from '@flyball/testing';
import { beforeEach, describe, expect, test } from 'vitest';

// Goal: a lane never goes on from a state or a log that is not what it was, and never stands still for ever.
// Method: one lane that echoes what it reads, on a memory log whose past the test tampers with.

interface Word {
  readonly text: string;
}

/** Says each word again, with how many it has heard; dies of `poison`. */
class Echo implements Processor<Word, { echoes: Word & { nth: number } }> {
  #heard = 0;
  process({ body }: Entry<Word>, outbox: Outbox<{ echoes: Word & { nth: number } }>): void {
    this.#heard += 1;
    if (body.text === 'poison') throw new Error('planted');
    outbox.emit('echoes', body.text, { text: body.text, nth: this.#heard });
  }
  skip(_at: unknown, outbox: Outbox<{ echoes: Word & { nth: number } }>): void {
    outbox.broadcast('echoes', { text: '(skipped)', nth: this.#heard });
  }
  snapshot(): Uint8Array {
    return utf8(String(this.#heard));
  }
  restore(bytes: Uint8Array): void {
    if (textOf(bytes) === 'broken') throw new RejectedError('SNAPSHOT_INVALID', 'planted');
    this.#heard = Number(textOf(bytes));
  }
}

const INBOX = { topic: 'words', partition: 0 };
const LANE = laneName('echo', 'words', 0);

function spec(foreign = true): LaneSpec<Word, { echoes: Word & { nth: number } }> {
  const outlet = <Body>(topic: string) => ({ topic, codec: jsonCodec<Body>(), partitions: 2 });
  return {
    name: 'echo',
    create: () => new Echo(),
    inbox: { topic: 'words', codec: jsonCodec<Word>(), foreign },
    outboxes: { echoes: outlet('echoes') },
    deadLetters: outlet<DeadLetter>('dead'),
    behaviour: 'echo@1',
  };
}

let log: MemoryLog;
let objects: MemoryObjects;
const open = (foreign = true) => LaneRunner.open(spec(foreign), { log, objects }, 0);
const say = (...texts: string[]) =>
  log.append(
    INBOX,
    texts.map((text) => ({ key: '', headers: {}, value: utf8(JSON.stringify({ text })) })),
  );
const heard = async () => (await seen(log, 'echoes')).map((line) => line.replace(/^\d+ /, ''));

/** Another log with the same topics, and an inbox with these entries. */
async function refill(entries: readonly NewRecord[]): Promise<void> {
  log = new MemoryLog(() => 1_000);
  await log.create('words', 1);
  for (const topic of ['echoes', 'dead']) await log.create(topic, 2);
  await log.append(INBOX, entries);
}

beforeEach(async () => {
  log = new MemoryLog(() => 1_000);
  objects = new MemoryObjects();
  await log.create('words', 1);
  for (const topic of ['echoes', 'dead']) await log.create(topic, 2);
});

describe('a lane that has lived', () => {
  test('goes on from its newest checkpoint, and its checkpoints are the same bytes as those of an unbroken run', async () => {
    await say('a', 'b', 'c', 'd');
    const unbroken = await open();
    while ((await unbroken.pump(1)) > 0) await unbroken.checkpoint();
    const names = await objects.list('checkpoints/');
    const before = await Promise.all(names.map((name) => objects.get(name)));
    expect(names).toHaveLength(3);

    await objects.delete(names[2]!);
    const restarted = await open();
    expect(restarted.offset).toBe(3);
    await restarted.pump();
    await restarted.checkpoint();
    expect(await Promise.all(names.map((name) => objects.get(name)))).toEqual(before);
    expect(await heard()).toHaveLength(4);
  });

  test('leaves a corrupt checkpoint in quarantine and uses the one before', async () => {
    await say('a', 'b');
    const runner = await open();
    while ((await runner.pump(1)) > 0) await runner.checkpoint();
    const newest = (await objects.list('checkpoints/')).at(-1)!;
    const bytes = (await objects.get(newest))!;
    bytes[bytes.length - 1]! ^= 1;
    await objects.put(newest, bytes);

    const reopened = await open();
    expect(reopened.offset).toBe(1);
    expect(await objects.list('quarantine/')).toEqual([`quarantine/${newest}`]);
    await reopened.pump();
    expect(await heard()).toEqual(['a {"text":"a","nth":1}', 'b {"text":"b","nth":2}']);
  });

  test('stops when all its checkpoints are gone', async () => {
    await say('a');
    await (await open()).pump();
    for (const name of await objects.list('')) await objects.delete(name);
    await expect(open()).rejects.toMatchObject({ code: 'LANE_STATE_LOST' });
  });

  test('stops when the log is trimmed and it never had a state', async () => {
    await say('a', 'b');
    await log.trim(INBOX, 1);
    await expect(open()).rejects.toMatchObject({ code: 'LANE_STATE_LOST' });
  });

  test('stops when the log was trimmed beyond its checkpoint', async () => {
    await say('a', 'b', 'c');
    await (await open()).checkpoint();
    await log.trim(INBOX, 2);
    await expect(open()).rejects.toMatchObject({ code: 'LOG_GAP' });
  });

  test.each([
    ['shorter', ['a']],
    ['another one', ['a', 'x', 'c']],
  ])('stops when the log that it has read is now %s', async (_name, texts) => {
    const written = new MemoryLog(() => 1_000);
    await say('a', 'b');
    const runner = await open();
    await runner.pump();
    await runner.checkpoint();
    log = written;
    await log.create('words', 1);
    for (const topic of ['echoes', 'dead']) await log.create(topic, 2);
    await say(...texts);
    await expect(open()).rejects.toMatchObject({ code: 'LOG_TRUNCATED' });
  });

  test('stops when the last entry that it read is now one of another writer, with the same bytes', async () => {
    await say('a', 'b');
    const runner = await open();
    await runner.pump();
    await runner.checkpoint();
    const [a, b] = await allRecords(log, 'words');
    await refill([a!, { ...b!, headers: { [PROVENANCE_HEADER]: '0.1.0@writer:other' } }]);
    await expect(open()).rejects.toMatchObject({ code: 'LOG_TRUNCATED' });
    await refill([a!, b!]);
    expect((await open()).offset).toBe(2);
  });

  test('stops when a topic of the same name was made anew', async () => {
    await say('a', 'b');
    const runner = await open();
    await runner.pump();
    await runner.checkpoint();
    const other = new MemoryLog(() => 1_000);
    await other.create('another', 1); // Topic ids grow with creation: `words` is another topic here.
    log = other;
    await log.create('words', 1);
    for (const topic of ['echoes', 'dead']) await log.create(topic, 2);
    await say('a', 'b');
    await expect(open()).rejects.toMatchObject({ code: 'LOG_TRUNCATED' });
  });

  test('that died before its first checkpoint starts again, and is not taken for a lost one', async () => {
    await say('a');
    await (await open()).pump();
    const second = await open();
    await second.pump();
    expect(await heard()).toEqual(['a {"text":"a","nth":1}']);
  });
});

describe('an entry that cannot be processed', () => {
  test('of foreign bytes is kept as a dead letter with offset and cause, and the lane goes on', async () => {
    await say('a');
    await log.append(INBOX, [{ key: '', headers: {}, value: utf8('{not json') }]);
    await say('b');
    await (await open()).pump();
    const [letter] = (await allRecords(log, 'dead')).map(({ value }) => JSON.parse(textOf(value)) as DeadLetter);
    expect(letter).toMatchObject({ lane: LANE, offset: 1, code: 'JSON_INVALID', sizeBytes: 9 });
    expect(atob(letter!.valueBase64)).toBe('{not json');
    expect(await heard()).toContain('b {"text":"b","nth":2}');
    expect(await heard()).toContain(' {"text":"(skipped)","nth":1}'); // The processor was told.
  });

  test('of our own topic stops the lane before it, and what came before is not lost', async () => {
    await say('a');
    await log.append(INBOX, [{ key: '', headers: {}, value: utf8('{from a later release') }]);
    await say('b');
    const runner = await open(false);
    expect(await runner.pump()).toBe(1);
    await expect(runner.pump()).rejects.toMatchObject({ code: 'MESSAGE_UNREADABLE', kind: 'unavailable' });
    await runner.checkpoint();
    expect((await open(false)).offset).toBe(1);
    expect(await heard()).toEqual(['a {"text":"a","nth":1}']);
    expect(await allRecords(log, 'dead')).toEqual([]);
  });

  test('leaves no trace when the processor throws, and is skipped after three deaths', async () => {
    await say('a', 'poison', 'b');
    for (let death = 1; death <= DEATHS_MAX; death += 1) {
      const runner = await open();
      const error = await runner.pump().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ProcessDiedError);
      expect(await runner.checkpoint()).toBe(false);
      expect(await allRecords(log, 'echoes')).toEqual([]);
      const { offset } = error as ProcessDiedError;
      expect(offset).toBe(1);
      expect(await recordDeath(objects, { lane: LANE, offset }, `run-${death}`)).toBe(death === DEATHS_MAX);
    }
    await (await open()).pump();
    expect(await heard()).toContain('b {"text":"b","nth":2}');
    const [letter] = (await allRecords(log, 'dead')).map(({ value }) => JSON.parse(textOf(value)) as DeadLetter);
    expect(letter).toMatchObject({ offset: 1, code: 'ENTRY_SKIPPED' });
  });
});

test('a derived record keeps the log time of the fact that caused it', async () => {
  await say('a');
  await (await open()).pump();
  const [echo] = await allRecords(log, 'echoes');
  const times: number[] = [];
  // A foreign producer could write the header too, and is not believed.
  for (const foreign of [false, true]) {
    log = new MemoryLog(() => 9_000);
    await log.create('words', 1);
    for (const topic of ['echoes', 'dead']) await log.create(topic, 2);
    await log.append(INBOX, [echo!]);
    const create = () => Object.assign(new Echo(), { process: (entry: Entry) => times.push(entry.atMs) });
    await (await LaneRunner.open({ ...spec(foreign), create }, { log, objects: new MemoryObjects() }, 0)).pump();
  }
  expect(times).toEqual([1_000, 9_000]);
});

describe('an append without an answer', () => {
  test('is repeated unchanged, nothing is read meanwhile, and no checkpoint is put', async () => {
    await say('a', 'b');
    const faults: AppendFault[] = ['unacked', 'lost', 'full'];
    const faulty = new FaultyLog(
      log,
      () => faults.shift() ?? 'none',
      () => false,
    );
    const runner = await LaneRunner.open(spec(), { log: faulty, objects }, 0);
    const stored = (await objects.list('checkpoints/')).length;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(runner.pump()).rejects.toMatchObject({ kind: 'unavailable' });
      expect(await runner.checkpoint()).toBe(false);
      expect(runner.offset).toBe(2);
    }
    while ((await runner.pump().catch(() => 1)) > 0);
    expect(await objects.list('checkpoints/')).toHaveLength(stored);
    expect(await runner.checkpoint()).toBe(true);
    expect(await heard()).toEqual(['a {"text":"a","nth":1}', 'b {"text":"b","nth":2}']);
  });
});
