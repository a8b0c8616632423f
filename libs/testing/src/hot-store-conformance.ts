import { WINDOW_KINDS, type WindowKind } from '@flyball/contracts';
import { textOf, utf8 } from '@flyball/core';
import type { HotBatch, HotChange, HotStore } from '@flyball/runtime';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HotStoreModel } from './hot-store-model.ts';

/** Bounds that the suite wants a store to have. */
export interface HotStoreBounds {
  readonly subjectsMax?: number;
  readonly windowsMax?: number;
}

const LANE = 'flyball.windows/0';
const window = (key: string, endMs: number, isHeard = true): HotChange => {
  return { type: 'window', kind: 'traces', key, endMs, value: utf8(`${key} until ${endMs}`), isHeard };
};
const assessment = (key: string, endMs: number): HotChange => {
  return { type: 'assessment', key, endMs, value: utf8(`${key} judged at ${endMs}`) };
};
const gone = (key: string, endMs: number): HotChange => ({ type: 'gone', key, endMs });
const batch = (changes: readonly HotChange[], more: Partial<HotBatch> = {}): HotBatch => {
  return { lane: LANE, fromOffset: 0, offset: 10, isFirst: true, isCaughtUp: false, changes, ...more };
};
const textsOf = (values: readonly Uint8Array[]) => values.map(textOf);

/** The conformance suite of the port `HotStore`. Every driver runs it; `make` gives an empty store. */
export function hotStoreConformance(name: string, make: (bounds?: HotStoreBounds) => Promise<HotStore>): void {
  describe(`a hot store (${name})`, () => {
    let store: HotStore;
    beforeEach(async () => {
      store = await make();
    });
    afterEach(() => store.close());

    test('shows the windows of a subject in order, its latest assessment, and when it was last heard', async () => {
      const changes = [window('a', 30), window('a', 10), assessment('a', 30), window('a', 20), assessment('a', 20)];
      expect(await store.apply(batch([...changes, window('a', 40, false), window('b', 10, false)]))).toBe(true);
      expect(textsOf(await store.windows('a', 'traces'))).toEqual([10, 20, 30, 40].map((end) => `a until ${end}`));
      expect(textsOf(await store.windows('a', 'traces', 2))).toEqual(['a until 30', 'a until 40']);
      expect(await store.service('a')).toEqual({ key: 'a', assessment: utf8('a judged at 30'), lastSeenAtMs: 30 });
      expect(await store.service('b')).toEqual({ key: 'b', assessment: undefined, lastSeenAtMs: null });
      expect((await store.services()).map(({ key }) => key).sort()).toEqual(['a', 'b']);
    });

    test('knows nothing of a subject that nobody named', async () => {
      expect(await store.service('none')).toBeUndefined();
      expect(await store.windows('none', 'traces')).toEqual([]);
      expect(await store.services()).toEqual([]);
      expect(await store.progress()).toEqual(new Map());
    });

    test('keeps bytes as they are, and hands out copies', async () => {
      const value = Uint8Array.from({ length: 512 }, (_, index) => index % 256);
      const change = {
        type: 'window' as const,
        kind: 'traces' as const,
        key: 'ü/\0\n{}*:',
        endMs: 1_795_406_537_507,
        value,
        isHeard: true,
      };
      await store.apply(batch([change, { type: 'assessment', key: 'a', endMs: 1, value: new Uint8Array(0) }]));
      const given = value.slice();
      value.fill(0);
      const [first] = await store.windows(change.key, 'traces');
      expect(first).toEqual(given);
      first!.fill(1);
      expect(await store.windows(change.key, 'traces')).toEqual([given]);
      expect((await store.service(change.key))!.lastSeenAtMs).toBe(1_795_406_537_507);
      expect((await store.service('a'))!.assessment).toEqual(new Uint8Array(0));
    });

    test('stores a window once, however often it comes', async () => {
      await store.apply(batch([window('a', 10), window('a', 10)]));
      await store.apply(batch([window('a', 10), window('a', 20)], { offset: 20 }));
      expect(textsOf(await store.windows('a', 'traces'))).toEqual(['a until 10', 'a until 20']);
    });

    test('keeps windows of every kind apart, and forgets them together', async () => {
      const of = (kind: WindowKind): HotChange => {
        return { type: 'window', kind, key: 'a', endMs: 10, value: utf8(kind), isHeard: true };
      };
      await store.apply(batch(WINDOW_KINDS.map(of)));
      for (const kind of WINDOW_KINDS) expect(textsOf(await store.windows('a', kind))).toEqual([kind]);
      await store.apply(batch([gone('a', 10)]));
      for (const kind of WINDOW_KINDS) expect(await store.windows('a', kind)).toEqual([]);
    });

    test('keeps windows of equal bytes apart by their ends', async () => {
      const value = utf8('same');
      const of = (endMs: number): HotChange => ({
        type: 'window',
        kind: 'traces',
        key: 'a',
        endMs,
        value,
        isHeard: true,
      });
      await store.apply(batch([of(10), of(20), of(10)]));
      expect(textsOf(await store.windows('a', 'traces'))).toEqual(['same', 'same']);
    });

    test('forgets a subject that is gone, and what comes late of it, but not what came after', async () => {
      await store.apply(batch([window('a', 10), assessment('a', 10), gone('a', 20)]));
      expect(await store.services()).toEqual([]);
      expect(await store.service('a')).toBeUndefined();
      await store.apply(batch([assessment('a', 20), window('a', 15)]));
      expect(await store.service('a')).toBeUndefined();
      await store.apply(batch([window('a', 30), gone('a', 20)]));
      expect(await store.service('a')).toMatchObject({ lastSeenAtMs: 30, assessment: undefined });
      expect(textsOf(await store.windows('a', 'traces'))).toEqual(['a until 30']);
    });

    test('records how far each lane has come', async () => {
      await store.apply(batch([], { lane: 'flyball.windows/0', offset: 5 }));
      await store.apply(batch([], { lane: 'flyball.signals/3', offset: 7, isCaughtUp: true }));
      await store.apply(batch([], { lane: 'flyball.windows/0', fromOffset: 5, offset: 9, isFirst: false }));
      expect(await store.progress()).toEqual(
        new Map([
          ['flyball.windows/0', { offset: 9, isCaughtUp: false }],
          ['flyball.signals/3', { offset: 7, isCaughtUp: true }],
        ]),
      );
    });

    test('takes no batch of a lane that it knows nothing of, but its first', async () => {
      expect(await store.apply(batch([window('a', 10)], { fromOffset: 10, offset: 20, isFirst: false }))).toBe(false);
      expect(await store.services()).toEqual([]);
      expect(await store.windows('a', 'traces')).toEqual([]);
      expect(await store.progress()).toEqual(new Map());
    });

    test('takes no batch that leaves a hole, as when the store was put back in time', async () => {
      await store.apply(batch([window('a', 10)], { offset: 10 }));
      const later = batch([window('a', 30)], { fromOffset: 20, offset: 30, isFirst: false });
      expect(await store.apply(later)).toBe(false);
      expect(textsOf(await store.windows('a', 'traces'))).toEqual(['a until 10']);
      expect((await store.progress()).get(LANE)).toEqual({ offset: 10, isCaughtUp: false });
    });

    test('lets a batch come again, and a second writer that is behind take nothing back', async () => {
      await store.apply(batch([window('a', 10)], { offset: 10 }));
      const next = batch([window('a', 20)], { fromOffset: 10, offset: 20, isFirst: false, isCaughtUp: true });
      expect(await store.apply(next)).toBe(true);
      expect(await store.apply(next)).toBe(true);
      expect(await store.apply({ ...next, fromOffset: 5, offset: 15, isCaughtUp: false })).toBe(true);
      expect((await store.progress()).get(LANE)).toEqual({ offset: 20, isCaughtUp: true });
    });

    test('lets a writer start over, and another that is ahead go on', async () => {
      await store.apply(batch([window('a', 10)], { offset: 100, isCaughtUp: true }));
      expect(await store.apply(batch([window('a', 10)], { fromOffset: 40, offset: 50 }))).toBe(true);
      expect((await store.progress()).get(LANE)).toEqual({ offset: 100, isCaughtUp: false });
      const ahead = batch([], { fromOffset: 100, offset: 110, isFirst: false, isCaughtUp: true });
      expect(await store.apply(ahead)).toBe(true);
      expect((await store.progress()).get(LANE)).toEqual({ offset: 110, isCaughtUp: true });
      expect(textsOf(await store.windows('a', 'traces'))).toEqual(['a until 10']);
    });

    test('lets a writer start over beyond what is known', async () => {
      await store.apply(batch([], { offset: 10, isCaughtUp: true }));
      expect(await store.apply(batch([], { fromOffset: 50, offset: 60 }))).toBe(true);
      expect((await store.progress()).get(LANE)).toEqual({ offset: 60, isCaughtUp: false });
    });

    test('keeps the latest windows of a subject, whatever their order', async () => {
      const small = await make({ windowsMax: 3 });
      await small.apply(batch([50, 10, 40, 20, 30, 5].map((end) => window('a', end))));
      expect(textsOf(await small.windows('a', 'traces'))).toEqual(['a until 30', 'a until 40', 'a until 50']);
      await small.close();
    });

    test('leaves out subjects beyond its limit until one goes', async () => {
      const small = await make({ subjectsMax: 2 });
      await small.apply(batch([window('a', 10), assessment('b', 10), window('c', 10), assessment('d', 10)]));
      expect((await small.services()).map(({ key }) => key).sort()).toEqual(['a', 'b']);
      expect(await small.windows('c', 'traces')).toEqual([]);
      await small.apply(batch([gone('a', 10), window('c', 20)]));
      expect((await small.services()).map(({ key }) => key).sort()).toEqual(['b', 'c']);
      await small.close();
    });

    test('takes 5,000 changes at once, and 20 writers side by side', async () => {
      const many = Array.from({ length: 5_000 }, (_, index) => window(`service-${index % 50}`, index));
      const lanes = Array.from({ length: 20 }, (_, index) => `flyball.windows/${index}`);
      const shares = lanes.map((lane, at) => batch(many.slice(at * 250, (at + 1) * 250), { lane }));
      await Promise.all([store.apply(batch(many)), ...shares.map((share) => store.apply(share))]);
      expect(await store.services()).toHaveLength(50);
      expect(await store.windows('service-7', 'traces')).toHaveLength(100);
      expect((await store.progress()).size).toBe(20);
    });

    test('equals the model, whatever comes in whatever order', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(batches, { maxLength: 12 }), async (all) => {
          const small = await make({ windowsMax: 3 });
          const model = new HotStoreModel(3);
          try {
            for (const each of all) expect(await small.apply(each)).toBe(model.apply(each));
            expect((await small.services()).toSorted(byKey)).toEqual(model.services());
            for (const key of KEYS)
              expect(textsOf(await small.windows(key, 'traces'))).toEqual(model.windows(key, 'traces'));
            expect(await small.progress()).toEqual(model.progress);
          } finally {
            await small.close();
          }
        }),
        { numRuns: 150 },
      );
    });
  });
}

const KEYS = ['a', 'b', 'c'];
const byKey = (one: { key: string }, other: { key: string }) => (one.key < other.key ? -1 : 1);
const ends = fc.integer({ min: 0, max: 12 });
const changes = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constantFrom(...KEYS), ends, fc.boolean()).map((args) => window(...args)) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...KEYS), ends).map((args) => assessment(...args)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...KEYS), ends).map((args) => gone(...args)) },
);
const batches = fc.record({
  lane: fc.constantFrom('flyball.windows/0', 'flyball.signals/0'),
  fromOffset: fc.integer({ min: 0, max: 10 }),
  offset: fc.integer({ min: 0, max: 10 }),
  isFirst: fc.boolean(),
  isCaughtUp: fc.boolean(),
  changes: fc.array(changes, { maxLength: 8 }),
});
