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

test('a few durations far apart are saved as a few numbers, many close together as one for each bucket', () => {
  const sketchOf = (list: readonly number[]) => {
    const sketch = new DurationSketch();
    for (const us of list) sketch.add(us);
    return sketch.toData();
  };
  expect(sketchOf([0, 1_024, 1_024, 1_048_576])).toEqual({ zeroCount: 1, offset: 639, counts: [2, -639, 1] });
  expect(sketchOf([1_000, 1_040])).toEqual({ zeroCount: 0, offset: 637, counts: [1, 0, 0, 0, 1] });
  const apart = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 1 : 1_048_576));
  expect(sketchOf(apart)).toEqual({ zeroCount: 0, offset: -1, counts: [100, -1_279, 100] });
});

test('what a release saved that wrote every empty bucket is read to the last bucket, whole or as a share', () => {
  fc.assert(
    fc.property(fc.array(duration, { maxLength: 200 }), fc.constantFrom(1, 0.5), (list, weight) => {
      const whole = new DurationSketch();
      for (const us of list) whole.add(us);
      const { counts, ...data } = whole.toData();
      const dense = counts.flatMap((count) => (count < 0 ? new Array<number>(-count).fill(0) : [count]));
      const [ofDense, ofRuns] = [new DurationSketch(), new DurationSketch()];
      ofDense.merge({ ...data, counts: dense }, weight);
      ofRuns.merge({ ...data, counts }, weight);
      expect(ofDense.toData()).toEqual(ofRuns.toData());
      expect(ofDense.count).toBe(ofRuns.count);
      expect(ofDense.count).toBeCloseTo(list.length * weight);
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
