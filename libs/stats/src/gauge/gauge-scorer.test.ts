import { Prng } from '@flyball/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GAUGE_ALERT_SCORE } from './gauge-config.ts';
import { type GaugeScore, type GaugeState, newGauge, scoreGauge } from './gauge-scorer.ts';

// Goal: a user is told of a spike, a dip, a new level, a series that stops moving at its time of day, once and in its
// first minutes, whatever the unit, and is not told of noise. Method: seeded series with one planted fault, and
// properties that hold for any floats and any instants.

const STEP_MS = 300_000;
const DAY_ROWS = 288;
const START_MS = Date.UTC(2026, 0, 5);

type Row = { readonly atMs: number; readonly value: number };

/** Rows every five minutes. */
const rowsOf = (count: number, valueOf: (row: number) => number): Row[] =>
  Array.from({ length: count }, (_, row) => ({ atMs: START_MS + row * STEP_MS, value: valueOf(row) }));
const scoresOf = (rows: readonly Row[], state = newGauge()): GaugeScore[] => rows.map((row) => scoreGauge(state, row));
const alertsOf = (scores: readonly GaugeScore[]): number[] =>
  scores.flatMap(({ score }, row) => (score >= GAUGE_ALERT_SCORE ? [row] : []));

const value = fc.oneof(
  fc.double(),
  fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324, 1.7e308, -1.7e308),
);
const atMs = fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.constantFrom(0, START_MS, NaN, -1e15));
const wildRows = fc.array(fc.record({ atMs, value }), { maxLength: 200 });

describe('for any values at any instants', () => {
  test('a score is 0 to 1, and neither it nor what was expected is ever no number', () => {
    fc.assert(
      fc.property(wildRows, (rows) => {
        for (const { score, surprise, expected } of scoresOf(rows)) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
          expect(surprise).toBeGreaterThanOrEqual(0);
          expect(expected === null || Number.isFinite(expected)).toBe(true);
        }
      }),
    );
  });

  test('a gauge that was saved and restored goes on as if nothing had been', () => {
    fc.assert(
      fc.property(wildRows, fc.nat(200), (rows, cut) => {
        const state = newGauge();
        const before = scoresOf(rows.slice(0, cut), state);
        const restored = JSON.parse(JSON.stringify(state)) as GaugeState;
        // As JSON: it knows no negative zero, and to people there is none.
        const scores = [...before, ...scoresOf(rows.slice(cut), restored)];
        expect(JSON.stringify(scores)).toBe(JSON.stringify(scoresOf(rows)));
      }),
    );
  });
});

test('a row is scored by earlier rows only: what comes later changes nothing', () => {
  const dice = new Prng(3);
  const rows = rowsOf(2_000, () => 100 + dice.normal());
  const other = rowsOf(2_000, (row) => (row < 1_500 ? rows[row]!.value : 1e9));
  expect(scoresOf(other).slice(0, 1_500)).toEqual(scoresOf(rows).slice(0, 1_500));
});

test('the unit does not matter: bytes, megabytes, or their negative give the same scores', () => {
  const dice = new Prng(5);
  const rows = rowsOf(3_000, (row) => 100 + 20 * Math.sin(row / 40) + dice.normal() + (row === 2_500 ? 60 : 0));
  const scores = scoresOf(rows);
  for (const factor of [1 / 1_048_576, 1e-200, 1e200, -1]) {
    const scaled = scoresOf(rows.map(({ atMs, value }) => ({ atMs, value: value * factor })));
    for (const [row, { score, expected }] of scaled.entries()) {
      expect(score).toBeCloseTo(scores[row]!.score, 6);
      if (row > 0) expect(expected! / factor).toBeCloseTo(scores[row]!.expected!, 6);
    }
  }
});

test('where the noise is above the floor, an offset does not matter', () => {
  const dice = new Prng(7);
  const rows = rowsOf(2_000, (row) => 50 * dice.normal() + (row === 1_500 ? 900 : 0));
  const scores = scoresOf(rows);
  const moved = scoresOf(rows.map(({ atMs, value }) => ({ atMs, value: value + 16 })));
  // Scales of the first rows are still small, and the floor of a gauge that moved is another.
  for (let row = 500; row < 2_000; row += 1) expect(moved[row]!.score).toBeCloseTo(scores[row]!.score, 1);
  expect(alertsOf(moved)).toContain(1_500);
  expect(alertsOf(scores)).toContain(1_500);
});

test('the state of a gauge stays below 8 KiB, however long it runs', () => {
  const dice = new Prng(9);
  const state = newGauge();
  scoresOf(
    // Ever smaller surprises are the worst that the hold can be given.
    rowsOf(20_000, (row) => 1e6 / (1 + (row % 200)) + dice.normal()),
    state,
  );
  expect(JSON.stringify(state).length).toBeLessThan(8_192);
});

describe('a planted fault among noise', () => {
  const FAULT_ROW = 3_000;
  const planted = (seed: number, faultOf: (row: number) => number) => {
    const dice = new Prng(seed);
    return rowsOf(4_000, (row) => 100 + 3 * dice.normal() + (row < FAULT_ROW ? 0 : faultOf(row - FAULT_ROW)));
  };
  const seeds = [1, 2, 3, 4, 5];

  test.each([
    ['spike', 40],
    ['dip', -40],
  ])('a %s is told of in its row', (_name, height) => {
    for (const seed of seeds) {
      const scores = scoresOf(planted(seed, (row) => (row === 0 ? height : 0)));
      expect(scores[FAULT_ROW]!.score).toBeGreaterThan(0.65);
      expect(scores[FAULT_ROW]!.expected).toBeGreaterThan(95);
      expect(scores[FAULT_ROW]!.expected).toBeLessThan(105);
    }
  });

  test('a new level is told of in its first rows, then becomes the normal and is not told of again', () => {
    for (const seed of seeds) {
      const scores = scoresOf(planted(seed, () => 40));
      const alerts = alertsOf(scores).filter((row) => row >= FAULT_ROW);
      expect(alerts[0]).toBe(FAULT_ROW);
      // Once for the value, and while the means of the last rows follow with ever larger surprises.
      expect(alerts.filter((row) => row < FAULT_ROW + 20).length).toBeLessThanOrEqual(5);
      expect(alerts.filter((row) => row >= FAULT_ROW + 20).length).toBeLessThanOrEqual(3);
      expect(scores[FAULT_ROW + 50]!.expected).toBeGreaterThan(135);
    }
  });

  test('a slow rise is told of before it has doubled', () => {
    for (const seed of seeds) {
      const alerts = alertsOf(scoresOf(planted(seed, (row) => row / 5)));
      expect(alerts.some((row) => row >= FAULT_ROW + 20 && row < FAULT_ROW + 500)).toBe(true);
    }
  });
});

test('a day that does not come is told of, though its value is an everyday one', () => {
  const dice = new Prng(11);
  const shape = (row: number) => (row % DAY_ROWS >= 96 && row % DAY_ROWS < 216 ? 80 : 20);
  const rows = rowsOf(10 * DAY_ROWS, (row) => (row >= 9 * DAY_ROWS ? 20 : shape(row)) + dice.normal());
  const scores = scoresOf(rows);
  const [fault, end] = [9 * DAY_ROWS + 96, 9 * DAY_ROWS + 120];
  const alert = alertsOf(scores).find((row) => row >= fault && row < end)!;
  expect(alert).toBeDefined();
  expect(scores[alert]!.feature).toBe('time_of_day');
  expect(scores[alert]!.expected).toBeGreaterThan(70);
});

test('noise of any shape gives at most three alerts in a thousand rows', () => {
  const dice = new Prng(13);
  let walk = 0;
  const shapes: Record<string, (row: number) => number> = {
    normal: () => 100 + 10 * dice.normal(),
    uniform: () => dice.unit(),
    skewed: () => Math.exp(dice.normal()),
    counts: () => Array.from({ length: 20 }, () => (dice.chance(0.1) ? 1 : 0)).reduce<number>((a, b) => a + b, 0),
    daily: (row) => 100 + 50 * Math.sin((row / DAY_ROWS) * 2 * Math.PI) + 5 * dice.normal(),
    walk: () => (walk += dice.normal()),
  };
  for (const [name, shape] of Object.entries(shapes)) {
    expect(alertsOf(scoresOf(rowsOf(12_000, shape))).length, name).toBeLessThanOrEqual(36);
  }
});

test('a constant gauge is silent, and its first step is as surprising as can be', () => {
  const scores = scoresOf(rowsOf(500, (row) => (row === 400 ? 1 : 0)));
  expect(alertsOf(scores)[0]).toBe(400);
  expect(scores[400]!.score).toBeGreaterThan(0.99);
  expect(alertsOf(scoresOf(rowsOf(500, () => 7)))).toEqual([]);
});

test('missing values score 0, teach nothing, and still say what was expected', () => {
  const dice = new Prng(17);
  const rows = rowsOf(600, () => 100 + dice.normal());
  const holes = rows.flatMap((row, at) => [row, { ...row, value: [NaN, Infinity, -Infinity][at % 3]! }]);
  const scores = scoresOf(holes);
  expect(scores.filter((_, row) => row % 2 === 0)).toEqual(scoresOf(rows));
  for (const [row, { score, expected }] of scores.entries()) {
    if (row % 2 === 1) expect([score, Math.abs(expected! - 100) < 3]).toEqual([0, true]);
  }
});

test('nothing is told of while too little is known', () => {
  expect(alertsOf(scoresOf(rowsOf(40, (row) => (row === 39 ? 1e6 : row % 3))))).toEqual([]);
});

test('a step over a gap is no step: telemetry that comes back is not told of as a fault', () => {
  const dice = new Prng(19);
  const rows = rowsOf(6 * DAY_ROWS, (row) => 500 + 100 * Math.sin((row / DAY_ROWS) * 2 * Math.PI) + dice.normal());
  const [from, until] = [5 * DAY_ROWS + 72, 5 * DAY_ROWS + 216];
  const scores = scoresOf(rows.filter((_, row) => row < from || row >= until));
  expect(rows[from - 1]!.value - rows[until]!.value).toBeGreaterThan(150);
  expect(scores[from]!.score).toBeLessThan(GAUGE_ALERT_SCORE);
});

test('an hour that comes twice, rows out of order and holes of any length leave a spike as plain as it is', () => {
  const dice = new Prng(23);
  const rows = rowsOf(3_000, (row) => 100 + dice.normal() + (row === 2_500 ? 40 : 0));
  const shaken = rows
    .map(({ atMs, value }, row) => ({
      value,
      atMs: row % 50 === 0 ? atMs - 4_000_000 : row > 1_000 ? atMs - 3_600_000 : atMs,
    }))
    .filter((_, row) => row % 97 > 3 || row === 2_500);
  const spike = shaken.findIndex(({ value }) => value > 130);
  const scores = scoresOf(shaken);
  expect(scores[spike]!.score).toBeGreaterThan(0.65);
  expect(alertsOf(scores).length).toBeLessThanOrEqual(9);
});
