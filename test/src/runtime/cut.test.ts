import type { DeadLetter } from '@flyball/contracts';
import { Prng, UnavailableError, utf8 } from '@flyball/core';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import {
  activate,
  activateIfChanged,
  type AnyLaneSpec,
  type Entry,
  LaneRunner,
  laneName,
  type Outbox,
  type Processor,
  resetLane,
} from '@flyball/runtime';
import { type AppendFault, FaultyLog, jsonCodec, seen } from '@flyball/testing';
import { beforeEach, describe, expect, test } from 'vitest';

// Goal: an upgrade is one line in the log: before it speaks the old release, after it the new one, and nobody hears both.
// Method: a lane that counts and signs what it says with its release, on a log that fails, run by both releases at once.

type Signed = { readonly text: string };

class Counter implements Processor<Signed, { said: Signed }> {
  #heard = 0;
  readonly #release: string;
  constructor(release: string) {
    this.#release = release;
  }
  process({ body }: Entry<Signed>, outbox: Outbox<{ said: Signed }>): void {
    this.#heard += 1;
    outbox.emit('said', body.text, { text: `${this.#release} ${body.text} ${this.#heard}` });
  }
  skip(): void {}
  snapshot(): Uint8Array {
    return utf8(String(this.#heard));
  }
  restore(bytes: Uint8Array): void {
    this.#heard = Number(new TextDecoder().decode(bytes));
  }
}

const INBOX = { topic: 'words', partition: 0 };
const LANE = laneName('counter', 'words', 0);
const outlet = <Body>(topic: string) => ({ topic, codec: jsonCodec<Body>(), partitions: 1 });
const release = (name: string): AnyLaneSpec =>
  ({
    name: 'counter',
    create: () => new Counter(name),
    inbox: { topic: 'words', codec: jsonCodec<Signed>(), foreign: false },
    outboxes: { said: outlet('said') },
    deadLetters: outlet<DeadLetter>('dead'),
    behaviour: name,
  }) as unknown as AnyLaneSpec;
const [OLD, NEW] = [release('old'), release('new')];

let log: MemoryLog;
let objects: MemoryObjects;
beforeEach(async () => {
  log = new MemoryLog(() => 1_000);
  objects = new MemoryObjects();
  for (const topic of ['words', 'said', 'dead']) await log.create(topic, 1);
});
const say = (...texts: string[]) =>
  log.append(
    INBOX,
    texts.map((text) => ({ key: '', headers: {}, value: utf8(JSON.stringify({ text })) })),
  );
const open = (spec: AnyLaneSpec, isUncleanAllowed = false) =>
  LaneRunner.open(spec, { log, objects }, 0, isUncleanAllowed);
const drain = async (runner: LaneRunner<unknown, never>) => {
  while ((await runner.pump(1)) > 0);
};
/** What was said, past the marks, in the order of its numbers. */
const heard = async () => {
  const texts = (await seen(log, 'said')).map((line) => (JSON.parse(line.slice(line.indexOf('{'))) as Signed).text);
  const nthOf = (text: string) => Number(text.split(' ')[2]);
  return texts.toSorted((a, b) => nthOf(a) - nthOf(b));
};

describe('a cut', () => {
  test('is where the old release closes the lane, and the new one goes on', async () => {
    await say('a', 'b');
    const old = await open(OLD);
    await drain(old);
    await activate(log, [NEW], 'release 2');
    await say('c');
    await expect(open(NEW)).rejects.toMatchObject({ code: 'LANE_CUT_PENDING', kind: 'unavailable' });
    await expect(old.pump()).rejects.toMatchObject({ code: 'LANE_CUT' });
    const fresh = await open(NEW);
    expect([fresh.offset, fresh.isUnclean]).toEqual([2, false]);
    await drain(fresh);
    await expect(old.pump()).rejects.toMatchObject({ code: 'LANE_CUT' });
    expect(await heard()).toEqual(['old a 1', 'old b 2', 'new c 3']);
  });

  test('that nobody closes is replayed to, and says so', async () => {
    await say('a', 'b');
    const old = await open(OLD);
    await old.pump(1);
    await old.checkpoint();
    await old.pump(1);
    await activate(log, [NEW], 'release 2');
    await say('c');
    const fresh = await open(NEW, true);
    expect(fresh.isUnclean).toBe(true);
    await drain(fresh);
    // What the old one had said is not heard again; what it has not, the new one says.
    expect(await heard()).toEqual(['old a 1', 'old b 2', 'new c 3']);
  });

  test('is needed: a release that was not activated stays out, whoever starts it', async () => {
    await say('a');
    await drain(await open(OLD));
    const old = await open(OLD);
    await drain(old);
    await old.checkpoint();
    await expect(open(NEW, true)).rejects.toMatchObject({ code: 'LANE_NOT_ACTIVE' });
  });

  test('concerns the processors that it names, and a second one to the same release changes nothing', async () => {
    const other = { ...release('other-2'), name: 'other' };
    await say('a');
    const old = await open(OLD);
    await activate(log, [other], 'release 2');
    await activate(log, [OLD], 'release 1');
    await activate(log, [OLD], 'release 1');
    await say('b');
    await drain(old);
    expect(await heard()).toEqual(['old a 1', 'old b 2']);
  });

  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'is invisible but for the signature, whatever fails and whoever runs (seed %i)',
    async (seed) => {
      const dice = new Prng(seed);
      const faults: readonly AppendFault[] = ['lost', 'unacked', 'late', 'prefix'];
      const faulty = new FaultyLog(
        log,
        () => (dice.chance(0.3) ? dice.pick(faults) : 'none'),
        () => dice.chance(0.1),
      );
      const before = 5 + dice.below(20);
      // The old release is the first to live here: else there is nothing to cut.
      const runners = [await open(OLD)];
      const step = async () => {
        try {
          if (runners.length === 0 || dice.chance(0.2)) {
            const spec = dice.pick([OLD, NEW]);
            runners.push(await LaneRunner.open(spec, { log: faulty, objects }, 0));
          }
          const runner = dice.pick(runners);
          await runner.pump(1 + dice.below(40));
          if (dice.chance(0.3)) await runner.checkpoint();
          if (dice.chance(0.1)) runners.splice(runners.indexOf(runner), 1);
        } catch (error) {
          if (!(error instanceof UnavailableError)) throw error;
        }
      };
      for (let word = 0; word < before; word += 1) {
        await say(`w${word}`);
        await step();
      }
      await activate(log, [NEW], 'release 2');
      const after = dice.below(20);
      for (let word = 0; word < after; word += 1) {
        await say(`w${before + word}`);
        await step();
      }
      await faulty.heal();
      const closer = await LaneRunner.open(OLD, { log, objects }, 0).catch(() => undefined);
      if (closer !== undefined) await drain(closer).catch(() => undefined);
      await drain(await open(NEW));
      const texts = (await heard()).map((text) => text.split(' '));
      expect(texts.map(([, word]) => word)).toEqual(Array.from({ length: before + after }, (_, n) => `w${n}`));
      expect(texts.map(([, , nth]) => Number(nth))).toEqual(texts.map((_, n) => n + 1));
      expect(texts.map(([by]) => by)).toEqual(texts.map((_, n) => (n < before ? 'old' : 'new')));
    },
  );
});

test('a process alone on its log cuts by itself when its settings change, and only then', async () => {
  await say('a');
  const old = await open(OLD);
  await drain(old);
  await old.checkpoint();
  expect(await activateIfChanged({ log, objects }, [OLD], 'same')).toBe(false);
  expect(await activateIfChanged({ log, objects }, [NEW], 'changed')).toBe(true);
  const fresh = await open(NEW, true);
  expect(fresh.isUnclean).toBe(false);
});

describe('a release that was activated and never ran', () => {
  /** Opens and pumps as a supervisor does, until the lane is at its end. */
  const runOn = async (spec: AnyLaneSpec) => {
    for (let opened = 0; opened < 5; opened += 1) {
      try {
        const runner = await open(spec, true);
        await drain(runner);
        return runner;
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
      }
    }
    throw new Error('the lane never comes to its end');
  };

  beforeEach(async () => {
    await say('a');
    const old = await open(OLD);
    await drain(old);
    await old.checkpoint();
    await activate(log, [release('never')], 'release 2');
    await say('b');
    await expect(drain(old)).rejects.toMatchObject({ code: 'LANE_CUT' });
  });

  test('gives the lane back to the one before, when that is activated again', async () => {
    await expect(open(OLD, true)).rejects.toMatchObject({ code: 'LANE_NOT_ACTIVE' });
    await activate(log, [OLD], 'release 1');
    await expect(open(OLD)).rejects.toMatchObject({ code: 'LANE_CUT_PENDING' });
    await say('c');
    expect((await runOn(OLD)).isUnclean).toBe(true);
    expect(await heard()).toEqual(['old a 1', 'old b 2', 'old c 3']);
  });

  test('does not keep a third one out', async () => {
    await activate(log, [NEW], 'release 3');
    await say('c');
    await runOn(NEW);
    expect(await heard()).toEqual(['old a 1', 'new b 2', 'new c 3']);
  });

  test('does not keep a new lane out', async () => {
    objects = new MemoryObjects();
    const fresh = new MemoryLog(() => 1_000);
    for (const topic of ['words', 'said', 'dead']) await fresh.create(topic, 1);
    log = fresh;
    await activate(log, [release('never')], 'release 1');
    await say('a');
    await activate(log, [NEW], 'release 2');
    await runOn(NEW);
    expect(await heard()).toEqual(['new a 1']);
  });

  test('is seen by a process alone on its log, though no checkpoint is of it', async () => {
    expect(await activateIfChanged({ log, objects }, [OLD], 'as before')).toBe(true);
    expect(await activateIfChanged({ log, objects }, [OLD], 'as before')).toBe(false);
    await runOn(OLD);
    expect(await heard()).toEqual(['old a 1', 'old b 2']);
  });
});

test('a lane that is reset starts a new life at the end, and nothing of the old one is heard again', async () => {
  await say('a', 'b');
  const old = await open(OLD);
  await old.pump(1);
  await old.checkpoint();
  for (const name of await objects.list('checkpoints/')) await objects.put(name, utf8('garbage'));
  await expect(open(OLD)).rejects.toMatchObject({ code: 'LANE_STATE_LOST' });
  expect(await resetLane({ log, objects }, 'counter', INBOX)).toEqual({ lane: LANE, epoch: 1, offset: 2 });
  await say('c');
  const fresh = await open(OLD);
  expect(fresh.epoch).toBe(1);
  await drain(fresh);
  await drain(old); // A zombie of the old life.
  expect(await heard()).toEqual(['old a 1', 'old c 1']);
});

test('a lane whose checkpoints are all gone starts another life than the one that is lost', async () => {
  await say('a', 'b');
  const old = await open(OLD);
  await old.pump(1);
  for (const name of await objects.list('checkpoints/')) await objects.delete(name);
  expect(await resetLane({ log, objects }, 'counter', INBOX)).toMatchObject({ epoch: 1 });
  await say('c');
  await drain(await open(OLD));
  await say('d');
  await drain(old); // A zombie of the old life, which counts on from what it knows.
  expect(await heard()).toEqual(['old a 1', 'old c 1']);
});
