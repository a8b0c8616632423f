import { EMPTY_BYTES, Prng, sha256Hex, utf8 } from '@flyball/core';
import { DirectoryObjects } from '@flyball/objects-dir';
import { CheckpointStore, Marks, type Objects } from '@flyball/runtime';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readAll } from '../archiver/archive-checks.ts';
import { ArchiveWorld, keyOf } from '../archiver/archive-world.ts';

// Goal: a stored object that is not what was written costs itself alone, and is named: a checkpoint goes to quarantine and the
// older one is used, an archived object is a gap of its offsets and all before and after it is read. Method: a table of spoils.

const SPOILS: readonly [how: string, spoil: (bytes: Uint8Array) => Uint8Array][] = [
  ['flipped at its start', (bytes) => flipped(bytes, 0)],
  ['flipped in the middle', (bytes) => flipped(bytes, bytes.length >> 1)],
  ['flipped at its end', (bytes) => flipped(bytes, bytes.length - 1)],
  ['torn at its end', (bytes) => bytes.subarray(0, -1)],
  ['cut in the middle', (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ['of zero length', () => EMPTY_BYTES],
  ['with more behind it', (bytes) => Uint8Array.from([...bytes, 0])],
  ['something else', () => utf8('this is no object of ours\n')],
];

let dir: string;
let objects: Objects;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-objects-'));
  objects = new DirectoryObjects(dir);
});
afterEach(() => rmSync(dir, { recursive: true }));

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const other = Uint8Array.from(bytes);
  other[at]! ^= 1;
  return other;
}

describe('a checkpoint', () => {
  const LANE = 'local:otlp_spans/0';
  const put = (offset: number) =>
    new CheckpointStore(objects).put({
      ...{ lane: LANE, epoch: 0, offset, topicId: 't', last: null, behaviour: 'b' },
      ...{ marks: new Marks().save(), state: utf8(`state at ${offset}`) },
    });
  /** As a later release would write it: whole, by its own digest. */
  const ofLaterRelease = (bytes: Uint8Array) => {
    const rest = Buffer.from(bytes).toString('latin1').split('\n').slice(1).join('\n').replace('"v":1', '"v":2');
    return utf8(`${sha256Hex(utf8(rest))}\n${rest}`);
  };

  test.each([...SPOILS, ['of a later release', ofLaterRelease] as const])(
    '%s is quarantined, and the older one is used',
    async (_how, spoil) => {
      for (const offset of [10, 20]) await put(offset);
      const newest = (await objects.list('checkpoints/')).at(-1)!;
      const spoiled = spoil((await objects.get(newest))!);
      await objects.put(newest, spoiled);
      const store = new CheckpointStore(objects);
      const found = await store.newest(LANE, (checkpoint) => checkpoint);
      expect(found).toMatchObject({ offset: 10, state: utf8('state at 10') });
      expect(await store.quarantined(LANE)).toEqual([`quarantine/${newest}`]);
      expect(await objects.get(`quarantine/${newest}`)).toEqual(Uint8Array.from(spoiled));
      expect(await objects.list('checkpoints/')).toHaveLength(1);
    },
  );
});

describe('an archived segment', () => {
  const RAW = { topic: 'otlp_spans', partition: 0 };
  const world = new ArchiveWorld(5);
  beforeAll(async () => {
    await world.open();
    for (let step = 0; step < 150; step += 1) await world.grow();
    await world.settle();
  });

  test.each(SPOILS)('of which an object is %s is a gap of its offsets, and all else is read', async (_how, spoil) => {
    const truth = world.truth.get(keyOf(RAW))!;
    for (const folder of ['archive/_manifests/otlp_spans/', 'archive/default/otlp_spans/']) {
      const names = (await world.objects.list(folder)).filter((name) => name.includes('/0/'));
      const name = new Prng(names.length).pick(names.slice(1, -2));
      const bytes = (await world.objects.get(name))!;
      await world.objects.put(name, spoil(bytes));
      const [firstOffset, lastOffset] = name.split('/').at(-1)!.split('-').map(Number) as [number, number];
      const { gaps, found } = await readAll(world);
      expect(gaps, name).toMatchObject([
        { ...RAW, fromOffset: firstOffset, toOffset: lastOffset + 1, reason: 'corrupt', object: name },
      ]);
      expect(found.get(keyOf(RAW))).toEqual(truth.filter(({ offset }) => offset < firstOffset || offset > lastOffset));
      await world.objects.put(name, bytes);
      expect((await readAll(world)).gaps).toEqual([]);
    }
  });
});
