import { utf8 } from '@flyball/core';
import { MemoryHotStore } from '@flyball/memory';
import { hotStoreConformance } from '@flyball/testing';
import { expect, test } from 'vitest';

hotStoreConformance('memory', async (bounds) => new MemoryHotStore(bounds));

test('memory: windows beyond the bytes bound go, the oldest first, of whatever subject', async () => {
  // Room for three: each costs 400 bytes beside its own 30.
  const store = new MemoryHotStore({ windowBytesMax: 1_300 });
  const of = (key: string, endMs: number) => {
    return {
      type: 'window' as const,
      kind: 'traces' as const,
      key,
      endMs,
      value: utf8(String(endMs).padEnd(30)),
      isHeard: true,
    };
  };
  const changes = [of('a', 1), of('b', 2), of('a', 3), of('b', 4), of('b', 5)];
  await store.apply({ lane: 'w', fromOffset: 0, offset: 5, isFirst: true, isCaughtUp: true, changes });
  const [a, b] = [await store.windows('a', 'traces'), await store.windows('b', 'traces')];
  expect([a.length, b.length]).toEqual([1, 2]);
  expect(await store.services()).toHaveLength(2);
});
