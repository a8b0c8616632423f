import fc from 'fast-check';
import { expect, test } from 'vitest';
import { heldBefore, newHold } from './hold.ts';

// Goal: nobody is told again of what they were told within the hold. Method: against the maximum of a slice.

test('the hold is the largest of the last rows, and keeps no more than it needs', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 300 }), fc.integer({ min: 1, max: 30 }), (surprises, holdRows) => {
      const hold = newHold();
      for (const [row, surprise] of surprises.entries()) {
        const before = surprises.slice(Math.max(0, row - holdRows), row);
        expect(heldBefore(hold, surprise, holdRows)).toBe(Math.max(0, ...before));
        expect(hold.recent.length).toBeLessThanOrEqual(holdRows + 1);
      }
    }),
  );
});
