import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inert } from './inert.ts';

// Goal: no name from telemetry drives a terminal, breaks a line, turns text round or breaks an encoding. Method: what acts, one by
// one, and any text at all.

test.each([
  ['an escape code', '\u001b[2Jweb', '\\u001b[2Jweb'],
  ['a line break', 'web\r\nok', 'web\\u000d\\u000aok'],
  ['a line separator', 'web\u2028ok', 'web\\u2028ok'],
  ['a right-to-left override', 'web\u202etxt', 'web\\u202etxt'],
  ['a zero-width space', 'we\u200bb', 'we\\u200bb'],
  ['half of a character', 'web\ud83d', 'web\\ud83d'],
  ['whole characters of any script', 'wéb 店 🛒', 'wéb 店 🛒'],
])('%s', (_what, text, seen) => {
  expect(inert(text)).toBe(seen);
});

test('whatever comes, nothing is left that acts, and once is enough', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0xd800, max: 0xdfff }), (text, half) => {
      const seen = inert(text + String.fromCharCode(half));
      expect(seen).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
      expect(seen.isWellFormed()).toBe(true);
      expect(inert(seen)).toBe(seen);
    }),
  );
});
