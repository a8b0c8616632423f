import { expect, test } from 'vitest';
import { Prng } from './prng.ts';

// Goal: a failing seed is a complete bug report, so dice must roll the same for ever.

test('a seed rolls the same numbers', () => {
  const roll = (seed: number) => {
    const dice = new Prng(seed);
    return [dice.next(), dice.below(10), dice.hex(10), dice.chance(0.5)];
  };
  expect(roll(7)).toEqual(roll(7));
  expect(roll(7)).not.toEqual(roll(8));
});

test('numbers are spread evenly, normals have mean 0 and variance 1', () => {
  const dice = new Prng(1);
  const rolls = Array.from({ length: 20_000 }, () => dice.below(10));
  for (let side = 0; side < 10; side += 1) {
    expect(rolls.filter((roll) => roll === side).length).toBeGreaterThan(1_800);
  }
  const normals = Array.from({ length: 20_000 }, () => dice.normal());
  const mean = normals.reduce((sum, value) => sum + value, 0) / normals.length;
  const variance = normals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normals.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});
