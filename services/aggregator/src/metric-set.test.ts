import type { MetricPoint, MetricShare, PointType } from '@flyball/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AggregatorConfig } from './config.ts';
import { type LastPoints, MetricSet } from './metric-set.ts';
import { SeriesBudget } from './series-budget.ts';

// Goal: a counter's rate is what happened, whoever delivered its points first, and a restart of the sender is no drop.

const CONFIG = AggregatorConfig.parse({ metricsMax: 3 });
const setOf = (shares: readonly MetricShare[]) => new MetricSet(CONFIG, new SeriesBudget(100), shares);
const share = (type: PointType, points: readonly MetricPoint[], metric = 'm'): MetricShare => {
  return { metric, unit: '1', type, attributes: '', instance: 'a', points, traceId: '' };
};
const total = (timeMs: number, value: number, startMs = 0, count = 0): MetricPoint => ({
  timeMs,
  startMs,
  value,
  count,
});
/** What a window says of a stream after windows before it. */
const closed = (type: PointType, ...windows: readonly (readonly MetricPoint[])[]) => {
  const last: LastPoints = new Map();
  return windows.map((points) => setOf([share(type, points)]).close(last)[0]).at(-1);
};

describe('a total', () => {
  test('says nothing with its first point, and its increase per second from then on', () => {
    expect(closed('cumulative', [total(1_000, 500)])).toBeUndefined();
    expect(closed('cumulative', [total(1_000, 500)], [total(11_000, 600)])).toMatchObject({
      value: 10,
      isReset: false,
    });
    expect(closed('cumulative', [total(1_000, 500), total(6_000, 550)])).toMatchObject({ value: 10 });
  });

  test('that begins anew counts from zero, since when it says or since the last point', () => {
    expect(closed('cumulative', [total(1_000, 500)], [total(11_000, 40)])).toMatchObject({ value: 4, isReset: true });
    expect(closed('cumulative', [total(1_000, 500)], [total(11_000, 40, 7_000)])).toMatchObject({
      value: 10,
      isReset: true,
    });
    // A new start is one also where the total is already larger than it was.
    expect(closed('cumulative', [total(1_000, 5)], [total(11_000, 40, 7_000)])).toMatchObject({
      value: 10,
      isReset: true,
    });
  });

  test('that comes late, for a time before the last, is not counted twice', () => {
    expect(closed('cumulative', [total(11_000, 600)], [total(6_000, 550), total(21_000, 700)])).toMatchObject({
      value: 10,
    });
  });
});

test('an increase that was sent as one is spread over the time that it names', () => {
  expect(closed('delta', [total(10_000, 50, 5_000), total(15_000, 25, 10_000)])).toMatchObject({ value: 7.5 });
  expect(closed('delta', [total(10_000, 50)])).toBeUndefined();
});

test('a level is the mean of its points; a histogram the mean of its observations', () => {
  expect(closed('gauge', [total(1, 4), total(2, 8)])).toMatchObject({ value: 6, points: 2, atMs: 2 });
  expect(closed('delta_histogram', [total(1, 100, 0, 4)])).toMatchObject({ value: 25, count: 4 });
  expect(closed('cumulative_histogram', [total(1, 100, 0, 4)], [total(2, 160, 0, 6)])).toMatchObject({
    value: 30,
    count: 2,
  });
});

test('whoever came first, and however the points were shared out, the window is the same', () => {
  const point = fc.record({
    timeMs: fc.integer({ min: 1, max: 20 }),
    startMs: fc.constantFrom(0, 5),
    value: fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
    count: fc.nat(9),
  });
  const type = fc.constantFrom<PointType>('gauge', 'delta', 'cumulative', 'delta_histogram', 'cumulative_histogram');
  fc.assert(
    fc.property(type, fc.array(point, { minLength: 1, maxLength: 40 }), fc.nat(), (kind, points, seed) => {
      const whole = setOf([share(kind, points)]);
      const cut = seed % points.length;
      const parts = setOf([share(kind, points.slice(cut)), share(kind, points.slice(0, cut).reverse())]);
      expect(parts.toShares()).toEqual(whole.toShares());
      expect(setOf(parts.toShares()).close(new Map())).toEqual(whole.close(new Map()));
    }),
  );
});

test('streams beyond the limit are marked by one, and cost no more memory', () => {
  const shares = Array.from({ length: 10 }, (_, index) => share('gauge', [total(1, index)], `m${index}`));
  const series = setOf(shares).close(new Map());
  expect(series.map(({ metric }) => metric)).toEqual(['(overflow)', 'm0', 'm1', 'm2']);
});

test('what is larger than all numbers is the largest one', () => {
  const most = Number.MAX_VALUE;
  expect(closed('gauge', [total(1_000, most), total(2_000, most)])).toMatchObject({ value: most });
  expect(closed('gauge', [total(1_000, -most), total(2_000, -most)])).toMatchObject({ value: -most });
  expect(closed('delta', [total(10_000, most, 9_000), total(11_000, most, 10_000)])).toMatchObject({ value: most });
});
