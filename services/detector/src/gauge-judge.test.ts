import { type MetricSeries, type Signal, signalsCodec, type Window } from '@flyball/contracts';
import { Prng } from '@flyball/core';
import { expect, test } from 'vitest';
import { DetectorConfig } from './config.ts';
import { type GaugesState, judgeGauges } from './gauge-judge.ts';

// Goal: a metric that leaves its level slowly, or for long, is told of as surely as one that jumps; what is only rare, small, or
// better than before is not. Method: one stream, point by point.

const STEP_MS = 10_000;
const config = DetectorConfig.parse({});
const noise = (seed: number) => {
  const dice = new Prng(seed);
  return () => 1 + 0.01 * dice.normal();
};

/** The stream that points are of, and what is known before them. */
interface Stream {
  readonly gauges?: GaugesState;
  readonly fromMs?: number;
  readonly by?: DetectorConfig;
  readonly series?: Partial<MetricSeries>;
}

/** What is said of the points. */
function said(values: readonly number[], { gauges = {}, fromMs = 0, by = config, series = {} }: Stream = {}) {
  const episodes = {};
  return values.flatMap((value, index) => {
    const endMs = fromMs + (index + 1) * STEP_MS;
    const about = { metric: 'memory.usage', unit: '', attributes: '', instance: '', traceId: '', points: 1, count: 0 };
    const metrics = [{ ...about, ...series, value, atMs: endMs } as unknown as MetricSeries];
    const subject = { tenant: 'default', environment: 'prod', service: 'cart' };
    return judgeGauges(gauges, episodes, { subject, endMs, coverage: 1, metrics } as unknown as Window, by);
  });
}
const signals = (values: readonly number[], metric = 'memory.usage') =>
  said(values, { series: { metric } }).filter((message): message is Signal => message.type === 'signal');
const level = (count: number, of: (index: number) => number, seed = 1) => {
  const wobble = noise(seed);
  return Array.from({ length: count }, (_, index) => of(index) * wobble());
};

test.each([
  ['a jump', (index: number) => (index < 100 ? 10 : 30), 110_000],
  ['a rise of 4 % per point', (index: number) => (index < 100 ? 10 : 10 * 1.04 ** (index - 100)), 250_000],
])('%s is told of, against the level from before it', (_name, of, withinMs) => {
  const [first, ...more] = signals(level(160, of));
  expect(first!.endMs).toBeGreaterThan(100 * STEP_MS);
  expect(first!.endMs).toBeLessThan(100 * STEP_MS + withinMs);
  const newest = more.at(-1) ?? first!;
  expect(newest.expected).toBeGreaterThan(9);
  expect(newest.expected).toBeLessThan(14);
});

test('what lasts is surer than what was short', () => {
  const lasting = signals(level(160, (index) => (index < 100 ? 10 : 13)));
  const short = signals(level(160, (index) => (index < 100 || index > 101 ? 10 : 13)));
  expect(lasting.at(-1)!.log10E).toBeGreaterThan(short.at(-1)!.log10E + 5);
});

test('what lasts for more than an hour is the new usual', () => {
  const messages = said(level(600, (index) => (index < 100 ? 10 : 30)));
  expect(messages.at(-1)!.type).toBe('calm');
  const calmMs = messages.at(-1)!.endMs - 100 * STEP_MS;
  expect(calmMs).toBeGreaterThan(3_600_000);
  expect(calmMs).toBeLessThan(3_800_000);
});

test('errors that come now and then are no news; those that stay, and those that are many, are', () => {
  const rare = Array.from({ length: 400 }, (_, index) => (index % 45 === 44 ? 0.1 : 0));
  expect(signals(rare, 'errors')).toEqual([]);
  const zeros = Array.from({ length: 100 }, () => 0);
  expect(signals([...zeros, 0.1, 0, 0.1, 0, 0, 0], 'errors')).toEqual([]);
  expect(signals([...zeros, ...Array.from({ length: 6 }, () => 0.1)], 'errors')).toHaveLength(1);
  const many = signals([...zeros, 50, 50], 'errors');
  expect(many.map(({ log10E }) => log10E)).toEqual([expect.closeTo(2 + 3 * Math.log10(50) + 0.85, 1)]);
});

test.each([
  ['less memory than before', (index: number) => (index < 100 ? 10 : 3)],
  ['a tenth more than before', (index: number) => (index < 100 ? 10 : 11)],
])('%s is nobody’s trouble', (_name, of) => {
  expect(signals(level(160, of))).toEqual([]);
});

test.each([
  ['that is no number', Infinity, 0],
  ['of more observations than can be counted', 30, 2 ** 60],
])('a point %s is nothing that the planner cannot read', (_what, value, count) => {
  const messages = said([...level(100, () => 10), 1e300, value, value, value], { series: { points: 2, count } });
  for (const message of messages)
    expect(() => signalsCodec.decode({ value: signalsCodec.encode(message) })).not.toThrow();
});

test('beyond the limit those that were there first are judged, until they are heard no more', () => {
  const [gauges, by]: [GaugesState, DetectorConfig] = [{}, DetectorConfig.parse({ gaugesMax: 1 })];
  const saidOf = (instance: string, fromMs: number) =>
    said(
      level(160, (index) => (index < 100 ? 10 : 30)),
      { gauges, fromMs, by, series: { instance } },
    );
  expect(saidOf('pod-1', 0)).not.toEqual([]);
  expect(saidOf('pod-2', 160 * STEP_MS)).toEqual([]);
  expect(saidOf('pod-2', 160 * STEP_MS + 3_600_000)).not.toEqual([]);
});
