import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOfHex, hexOf } from './hex.ts';

// Goal: an id that a person reads is the one that was sent, and what a checkpoint keeps as digits is what it was.

test('digits are those of Node, of any stretch and any length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12_000, size: 'max' }), fc.nat(20), (bytes, at) => {
      const from = Math.min(at, bytes.length);
      const digits = Buffer.from(bytes.subarray(from)).toString('hex');
      expect(hexOf(bytes, from)).toBe(digits);
      expect(bytesOfHex(digits)).toEqual(new Uint8Array(bytes.subarray(from)));
    }),
    { numRuns: 30 },
  );
});

test('what is no pairs of digits is refused by name', () => {
  for (const text of ['0', 'abc', 'zz', '0x', '12 4']) {
    expect(() => bytesOfHex(text)).toThrow(expect.objectContaining({ code: 'HEX_INVALID' }) as Error);
  }
  expect(bytesOfHex('')).toEqual(new Uint8Array(0));
});
