import { Prng } from '@flyball/core';
import { expect, test } from 'vitest';
import { GAUGE_DEFAULTS } from './gauge-config.ts';
import { newTail, tailSurprise } from './tail.ts';

// Goal: one threshold serves every series. Method: how often streams of unlike tails exceed a surprise, against its
// probability.

test.each([
  ['thin', (dice: Prng) => Math.sqrt(-Math.log(1 - dice.unit()))],
  ['exponential', (dice: Prng) => -Math.log(1 - dice.unit())],
  ['coarse counts', (dice: Prng) => Math.floor(-3 * Math.log(1 - dice.unit()))],
])('a %s tail exceeds a surprise of 3 about once in a thousand', (_name, sizeOf) => {
  const dice = new Prng(21);
  const tail = newTail();
  const rows = 100_000;
  let exceeded = 0;
  for (let row = 0; row < rows; row += 1) {
    // Scaled so that the tail starts above 1, as sizes in units of their scale do.
    const surprise = tailSurprise(tail, 2 * sizeOf(dice), GAUGE_DEFAULTS);
    if (row > 1_000 && surprise >= 3) exceeded += 1;
  }
  expect(exceeded / rows).toBeGreaterThan(0.000_2);
  expect(exceeded / rows).toBeLessThan(0.003);
});

test('a larger size is never less surprising', () => {
  const dice = new Prng(23);
  const tail = newTail();
  for (let row = 0; row < 2_000; row += 1) tailSurprise(tail, 3 * dice.unit(), GAUGE_DEFAULTS);
  const copy = () => ({ ...tail });
  const surprises = Array.from({ length: 100 }, (_, step) => tailSurprise(copy(), step / 10, GAUGE_DEFAULTS));
  expect(surprises).toEqual([...surprises].sort((a, b) => a - b));
});
