import { HOUR_MS } from '@flyball/core';
import { expect, test } from 'vitest';
import { learnUsual, newDayProfile, usualAt } from './day-profile.ts';

// Goal: a quiet weekend is not taken for a quiet Monday, and what comes once a day has no time of day.

const MONDAY_MS = Date.UTC(2026, 0, 5);
const DAY_MS = 24 * HOUR_MS;

test('weekdays and weekends have their own usual, and borrow from each other until they know', () => {
  const profile = newDayProfile(HOUR_MS);
  for (let hour = 0; hour < 5 * 24; hour += 1) learnUsual(profile, MONDAY_MS + hour * HOUR_MS, 100, 0.15);
  expect(usualAt(profile, MONDAY_MS + 5 * DAY_MS)).toEqual({ mean: 100, low: 100, high: 100, count: 0 });
  for (let hour = 5 * 24; hour < 7 * 24; hour += 1) learnUsual(profile, MONDAY_MS + hour * HOUR_MS, 10, 0.15);
  expect(usualAt(profile, MONDAY_MS + 12 * DAY_MS)?.mean).toBe(10);
  expect(usualAt(profile, MONDAY_MS + 7 * DAY_MS)?.mean).toBe(100);
});

test('the range reaches over the neighbours of a slot, also over midnight and before 1970', () => {
  const profile = newDayProfile(HOUR_MS);
  for (let hour = 0; hour < 24; hour += 1) learnUsual(profile, MONDAY_MS + hour * HOUR_MS, hour, 0.15);
  expect(usualAt(profile, MONDAY_MS)).toEqual({ mean: 0, low: 0, high: 23, count: 1 });
  expect(usualAt(profile, MONDAY_MS + 9 * HOUR_MS)).toEqual({ mean: 9, low: 8, high: 10, count: 1 });
  expect(usualAt(profile, -DAY_MS + 9 * HOUR_MS)?.mean).toBe(9);
});

test('what comes more rarely than twice a day has no time of day', () => {
  const profile = newDayProfile(DAY_MS);
  learnUsual(profile, MONDAY_MS, 1, 0.15);
  expect(usualAt(profile, MONDAY_MS)).toBeUndefined();
});
