import { expect, test } from 'vitest';
import { Frontier } from './frontier.ts';

// Goal: no window closes before every lane that feeds it has passed its end.

test('is the least of all times, and nobody can move it back', () => {
  const frontier = new Frontier(['a', 'b']);
  expect(frontier.raise('a', 9)).toBe(false); // b was not heard yet.
  expect(frontier.atMs).toBe(-Infinity);
  expect(frontier.raise('b', 5)).toBe(true);
  expect(frontier.raise('b', 3)).toBe(false);
  expect(frontier.atMs).toBe(5);
  const restored = new Frontier([]);
  restored.restore(JSON.parse(JSON.stringify(frontier.save())));
  expect(restored.save()).toEqual(frontier.save());
  expect(restored.raise('b', 12)).toBe(true);
  expect(restored.atMs).toBe(9);
});
