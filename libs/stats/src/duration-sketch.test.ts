import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketOf, DurationSketch } from './duration-sketch.ts';

// Goal: a latency that a user reads is at most 1 % off, and adding shares up in any order gives the same sketch, to
// the last bucket. Method: against exact quantiles and against the definition of a bucket.

const duration = fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 2 ** 40 }));

test('every duration is in the bucket whose bounds hold it, and powers of two at the upper end of theirs', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (us) => {
      const bucket = bucketOf(us);
      expect(us).toBeGreaterThan(2 ** (bucket / 64) * (1 - 1e-12));
      expect(us).toBeLessThanOrEqual(2 ** ((bucket + 1) / 64) * (1 + 1e-12));
    }),
    { numRuns: 2_000 },
  );
  for (let power = 0; power < 50; power += 1) expect(bucketOf(2 ** power)).toBe(power * 64 - 1);
});

test('quantiles are at most 1 % off', () => {
  fc.assert(
    fc.property(
      fc.array(duration, { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (list, q) => {
        const sketch = new DurationSketch();
        for (const us of list) sketch.add(us);
        const sorted = [...list].sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(q * list.length) - 1)]!;
        expect(sketch.count).toBe(list.length);
        if (q > 0) expect(Math.abs(sketch.quantile(q) - exact)).toBeLessThanOrEqual(0.01 * exact);
      },
    ),
  );
});

test('merging in any order, and saving on the way, gives the same sketch', () => {
  const lists = fc.array(fc.array(duration, { maxLength: 40 }), { maxLength: 6 });
  fc.assert(
    fc.property(lists, (parts) => {
      const whole = new DurationSketch();
      for (const us of parts.flat()) whole.add(us);
      const sketchOf = (list: readonly number[]) => {
        const sketch = new DurationSketch();
        for (const us of list) sketch.add(us);
        return sketch.toData();
      };
      const merged = new DurationSketch();
      for (const part of parts) merged.merge(sketchOf(part));
      const backwards = new DurationSketch();
      for (const part of [...parts].reverse()) backwards.merge(sketchOf(part));
      expect(merged.toData()).toEqual(whole.toData());
      expect(DurationSketch.from(backwards.toData()).toData()).toEqual(whole.toData());
    }),
  );
});

test('counts what is above a duration, bucket by bucket', () => {
  const sketch = new DurationSketch();
  for (const us of [0, 10, 100, 1_000, 10_000]) sketch.add(us);
  expect(sketch.countAbove(0)).toBe(4);
  expect(sketch.countAbove(100)).toBe(2);
  expect(sketch.countAbove(1e9)).toBe(0);
});
