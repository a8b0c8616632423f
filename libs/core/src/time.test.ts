import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rfc3339, slotStartMs } from './time.ts';

// Goal: two processes never disagree in which window an instant lies.

test('every instant lies in exactly the slot that starts at or before it', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 4e12 }), fc.integer({ min: 1, max: 3_600_000 }), (atMs, sizeMs) => {
      const startMs = slotStartMs(atMs, sizeMs);
      expect(startMs).toBeLessThanOrEqual(atMs);
      expect(atMs).toBeLessThan(startMs + sizeMs);
      expect(Math.abs(startMs % sizeMs)).toBe(0);
    }),
  );
});

test('instants print in UTC', () => {
  expect(rfc3339(0)).toBe('1970-01-01T00:00:00.000Z');
});
