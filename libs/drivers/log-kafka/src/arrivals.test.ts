import type { StoredRecord } from '@flyball/runtime';
import { expect, test } from 'vitest';
import { Arrivals } from './arrivals.ts';

// Goal: what came and is never asked for takes bounded memory, and who waits at the end still gets what came for it.

const MEBIBYTE = 1024 * 1024;
const KEPT_MAX = 64 * MEBIBYTE;
const at = (partition: number) => ({ topic: 'facts', partition });
const recordOf = (offset: number, bytes: number): StoredRecord => {
  return { offset, appendedAtMs: 0, key: '', headers: {}, value: new Uint8Array(bytes) };
};

test('places that nobody comes back to take so many bytes at most', () => {
  const arrivals = new Arrivals();
  for (let offset = 0; offset < 300; offset += 1) arrivals.keep(at(0), [recordOf(offset, MEBIBYTE)]);
  const kept = Array.from({ length: 300 }, (_, offset) => offset).filter((offset) => arrivals.has(at(0), offset));
  expect(kept.length * MEBIBYTE).toBeLessThanOrEqual(KEPT_MAX);
  expect(kept.at(-1)).toBe(299);
});

test('what was taken, forgotten or kept anew does not count any more', () => {
  const arrivals = new Arrivals();
  arrivals.keep(at(1), [recordOf(0, 1)]);
  for (let round = 0; round < 300; round += 1) {
    arrivals.keep(at(0), [recordOf(7, MEBIBYTE)]);
    arrivals.keep(at(0), [recordOf(7, MEBIBYTE)]);
    if (round % 2 === 0) expect(arrivals.take(at(0), 7)).toHaveLength(1);
    else arrivals.forget(at(0));
  }
  expect(arrivals.has(at(1), 0)).toBe(true);
});

test('one place alone may hold more', () => {
  const arrivals = new Arrivals();
  arrivals.keep(at(0), [recordOf(0, 2 * KEPT_MAX)]);
  expect(arrivals.take(at(0), 0)).toHaveLength(1);
});
