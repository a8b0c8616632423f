import { Prng } from '@flyball/core';
import { describe, expect, test } from 'vitest';
import { rateBound } from './rate-bound.ts';

// Goal: what was learned from little is not taken for known. Method: seeded binomial draws against the promised coverage; values worked out by hand.

const RUNS = 2_000;

describe('the highest plausible rate', () => {
  test.each([
    [0.02, 140],
    [0.05, 60],
    [0.3, 20],
  ])('is below %d of %d in about one run of twenty', (rate, total) => {
    const dice = new Prng(11);
    const below = Array.from({ length: RUNS }, () => {
      const bad = Array.from({ length: total }, () => dice.chance(rate)).filter(Boolean).length;
      return rateBound(bad, total) < rate;
    }).filter(Boolean).length;
    expect(below / RUNS).toBeLessThan(0.09);
  });

  test('is z²/(n + z²) where nothing was bad, and comes down to the rate as more is known', () => {
    expect(rateBound(0, 140)).toBeCloseTo(0.01896, 4);
    expect(rateBound(2, 100)).toBeCloseTo(0.0587, 3);
    expect(rateBound(20_000, 1_000_000)).toBeCloseTo(0.02023, 4);
  });

  test('is 1 where nothing is known, and where all was bad', () => {
    expect(rateBound(0, 0)).toBe(1);
    expect(rateBound(5, 5)).toBeCloseTo(1, 12);
  });
});
