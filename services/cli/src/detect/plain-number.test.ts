import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainNumber } from './plain-number.ts';

// Goal: no reader of our csv has to know exponents, and none is misled about the size of a number.

test('any number in plain decimals, six digits right', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = plainNumber(value);
      expect(text).toMatch(/^(0|-?([1-9]\d*|0)(\.\d*[1-9])?)$/);
      expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(Math.max(5.1e-6 * Math.abs(value), 1e-95));
    }),
    { numRuns: 2_000 },
  );
  expect([0.1 + 0.2, -0, 123456789, 1e21, 1.5e-7, -2e-9].map(plainNumber)).toEqual([
    ...['0.3', '0', '123457000', '1000000000000000000000', '0.00000015', '-0.000000002'],
  ]);
});
