import { expect, test } from 'vitest';
import { skippable } from './skippable.ts';

// Goal: a machine that should have all parts never leaves a test out unseen, and any other says how to get them.

test('what is missing may be left out, and says how to get it', () => {
  expect(skippable('no Kafka: install it', {})).toBe('no Kafka: install it');
  expect(skippable(undefined, {})).toBeUndefined();
});

test('where all must be real, what is missing fails, and only that', () => {
  const env = { FLYBALL_REQUIRE_REAL: '1' };
  expect(() => skippable('no Kafka: install it', env)).toThrow('no Kafka: install it');
  expect(skippable(undefined, env)).toBeUndefined();
});
