import { expect, test } from 'vitest';
import { learnInterval, newInterval } from './interval.ts';

// Goal: a gap, an hour that comes twice, or rows out of order do not hide how often a gauge is sampled.

test('the interval is the median step forward', () => {
  const state = newInterval();
  const minutes = [0, 1, 2, 3, 600, 601, 602, 543, 544, 545, 545, 546, 540, 541, 542, 543, 544, 545, 546, 547, 548];
  for (const minute of minutes) learnInterval(state, minute * 60_000);
  expect(state.intervalMs).toBe(60_000);
  expect(state.steps).toEqual([]);
  expect([551, 554, 558, 557, 559].map((minute) => learnInterval(state, minute * 60_000))).toEqual([
    ...[false, false, true, false, false],
  ]);
});

test('instants that never move on give none, and keep nothing', () => {
  const state = newInterval();
  for (let row = 0; row < 1_000; row += 1) learnInterval(state, 5 - row);
  expect(state).toEqual({ lastMs: -994, steps: [], intervalMs: null });
});
