import { type Assessment, OVERFLOW } from '@flyball/contracts';
import { expect, test } from 'vitest';
import { DetectorConfig } from '@flyball/detector';
import { type Moment, SimulatedService, type Traffic, WINDOW_MS } from './simulated-service.ts';

// Goal: a bad release is named within seconds and nobody else is; health, silence and blindness are never called failure.
// Method: seeded services of 40 requests per 2 s window, told window by window; counts of false alarms and delays.

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);

const versionOf = (assessment: Assessment, name: string) => assessment.versions.find(({ version }) => version === name);
/** Windows until it is so, from 1; `Infinity` if never. */
const delayOf = (assessments: readonly Assessment[], isSo: (assessment: Assessment) => boolean | undefined) => {
  const index = assessments.findIndex(isSo);
  return index < 0 ? Infinity : index + 1;
};
const quantile = (values: readonly number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1]!;
const canary = (traffic: Partial<Traffic>): Moment => ({
  versions: { v1: { requests: 30 }, v2: { requests: 10, ...traffic } },
});

test('a healthy service is never called failing, and passes', () => {
  for (const seed of SEEDS.slice(0, 20)) {
    const world = new SimulatedService(seed);
    const assessments = world.windows(500);
    expect(world.signals).toEqual([]);
    expect(
      assessments.every(({ errorsSli, latencySli }) => errorsSli.verdict !== 'fail' && latencySli.verdict !== 'fail'),
    ).toBe(true);
    expect(assessments.slice(60).filter(({ errorsSli }) => errorsSli.verdict === 'pass').length).toBeGreaterThan(400);
    expect(assessments.slice(60).filter(({ latencySli }) => latencySli.verdict === 'pass').length).toBeGreaterThan(400);
    expect(assessments[0]).toMatchObject({ baseline: { state: 'warming' }, errorsSli: { reason: 'warming' } });
    expect(assessments.at(-1)!.baseline.requests).toBeCloseTo(40, 6);
  }
});

test('few requests are no proof of perfection: what began well is not accused of its usual errors', () => {
  const usual = [
    { requests: 20, failing: 0.02 },
    { requests: 10, failing: 0.05 },
    { requests: 5, failing: 0.03 },
    { requests: 2, failing: 0.1 },
  ];
  const accused = usual.map((traffic) => {
    const worlds = SEEDS.filter((seed) => {
      const assessments = new SimulatedService(seed).windows(100, { versions: { v1: traffic } });
      return assessments.some(
        ({ errorsSli, latencySli }) => errorsSli.verdict === 'fail' || latencySli.verdict === 'fail',
      );
    });
    return worlds.length;
  });
  expect(Math.max(...accused)).toBeLessThanOrEqual(1);
});

test('a healthy canary is not accused in most worlds, and passes', () => {
  let accused = 0;
  const delays = SEEDS.map((seed) => {
    const world = new SimulatedService(seed);
    world.windows(30);
    const assessments = world.windows(120, canary({}));
    if (world.signals.length > 0) accused += 1;
    return delayOf(assessments, (each) => versionOf(each, 'v2')?.verdict === 'pass');
  });
  expect(accused).toBeLessThanOrEqual(1);
  expect(quantile(delays, 0.9)).toBeLessThan(120);
});

test('a canary with 18 % errors fails within four windows in most worlds, and the stable version never', () => {
  const delays = SEEDS.map((seed) => {
    const world = new SimulatedService(seed);
    world.windows(30);
    const assessments = world.windows(20, canary({ failing: 0.18 }));
    expect(assessments.some((each) => versionOf(each, 'v1')?.verdict === 'fail')).toBe(false);
    const signal = world.signals.find(({ version }) => version === 'v2');
    if (signal !== undefined) expect(signal).toMatchObject({ sli: 'errors', traceId: 'ee', detector: 'errors@1' });
    return delayOf(assessments, (each) => versionOf(each, 'v2')?.errorsSli.verdict === 'fail');
  });
  expect(quantile(delays, 0.5)).toBeLessThanOrEqual(4);
  expect(quantile(delays, 0.8)).toBeLessThanOrEqual(6);
  expect(quantile(delays, 1)).toBeLessThanOrEqual(12);
});

test('a canary that is four times slower fails within five windows', () => {
  const delays = SEEDS.map((seed) => {
    const world = new SimulatedService(seed);
    world.windows(30);
    const assessments = world.windows(20, canary({ medianMs: 80 }));
    return delayOf(assessments, (each) => versionOf(each, 'v2')?.latencySli.verdict === 'fail');
  });
  expect(quantile(delays, 1)).toBeLessThanOrEqual(5);
});

test('a canary that turns bad late is found too', () => {
  const delays = SEEDS.map((seed) => {
    const world = new SimulatedService(seed);
    world.windows(30);
    world.windows(100, canary({}));
    const assessments = world.windows(30, canary({ failing: 0.3 }));
    return delayOf(assessments, (each) => versionOf(each, 'v2')?.errorsSli.verdict === 'fail');
  });
  expect(quantile(delays, 0.9)).toBeLessThanOrEqual(12);
});

test('a fault that is older than the release is the fault of the service, not of the canary', () => {
  let accused = 0;
  const delays = SEEDS.map((seed) => {
    const world = new SimulatedService(seed);
    world.windows(30);
    const before = world.windows(10, { versions: { v1: { failing: 0.18 } } });
    const after = world.windows(60, {
      versions: { v1: { requests: 30, failing: 0.18 }, v2: { requests: 10, failing: 0.18 } },
    });
    after.push(...world.windows(20, { versions: { v2: { failing: 0.18 } } }));
    if (after.some((each) => versionOf(each, 'v2')?.verdict === 'fail')) accused += 1;
    expect(after.every(({ errorsSli }) => errorsSli.verdict === 'fail')).toBe(true);
    return delayOf(before, ({ errorsSli }) => errorsSli.verdict === 'fail');
  });
  expect(accused).toBeLessThanOrEqual(1);
  expect(quantile(delays, 1)).toBeLessThanOrEqual(4);
});

test('a small fault is seen before it is learned', () => {
  const delays = SEEDS.map((seed) => {
    const world = new SimulatedService(seed);
    world.windows(30);
    return delayOf(
      world.windows(60, { versions: { v1: { failing: 0.05 } } }),
      ({ errorsSli }) => errorsSli.verdict === 'fail',
    );
  });
  expect(quantile(delays, 0.5)).toBeLessThanOrEqual(8);
  expect(quantile(delays, 1)).toBeLessThanOrEqual(40);
});

test('a signal comes once per episode, and again only when it gets far worse', () => {
  const world = new SimulatedService(3, DetectorConfig.parse({ warmupWindows: 5, refractoryMs: 20_000 }));
  world.windows(30);
  world.windows(40, { versions: { v1: { failing: 0.5 } } });
  const signals = world.signals.filter(({ sli }) => sli === 'errors');
  expect(signals.length).toBeGreaterThan(1);
  expect(new Set(signals.map(({ episodeId }) => episodeId)).size).toBe(1);
  signals.slice(1).forEach((signal, index) => {
    expect(signal.endMs - signals[index]!.endMs).toBeGreaterThanOrEqual(20_000);
    expect(signal.log10E).toBeGreaterThanOrEqual(signals[index]!.log10E + 2);
  });
  expect(signals[0]!.sinceMs).toBe(30 * WINDOW_MS);
});

test('silence is not failure, and neither is a blackout of the path before us', () => {
  const world = new SimulatedService(1);
  world.windows(30);
  const silent = world.windows(50, { versions: {} });
  for (const each of silent)
    expect(each).toMatchObject({ isSilent: true, errorsSli: { verdict: 'insufficient', reason: 'silent' } });
  const late = world.window({ versions: {}, lateSpans: 3 });
  expect(late).toMatchObject({ isSilent: false, latencySli: { verdict: 'insufficient', reason: 'late_data' } });
  const partial = world.windows(20, { versions: { v1: { failing: 1 } }, coverage: 0.75 });
  for (const each of partial) expect(each).toMatchObject({ isSilent: false, errorsSli: { reason: 'low_coverage' } });
  expect(partial.at(-1)!.baseline).toEqual(silent[0]!.baseline);
  // That nothing came is told once; it is nobody's failure.
  expect(world.signals).toMatchObject([{ kind: 'traffic', sli: null, observed: 0 }]);
});

test('after a fault the service passes again, and the fault was not learned', () => {
  const delays = SEEDS.map((seed) => {
    const world = new SimulatedService(seed);
    world.windows(30);
    const before = world.windows(30, canary({ failing: 0.18, medianMs: 80 })).at(-1)!.baseline;
    const after = world.windows(60);
    expect(before.errorRatio).toBeLessThan(0.01);
    const { errorRatio, p95Ms } = after.at(-1)!.baseline;
    expect(errorRatio).toBeLessThan(0.02);
    expect(p95Ms).toBeLessThan(50);
    return delayOf(after, ({ errorsSli, latencySli }) => errorsSli.verdict === 'pass' && latencySli.verdict === 'pass');
  });
  expect(quantile(delays, 0.9)).toBeLessThanOrEqual(25);
});

test('while a canary fails nothing is learned, and while it is on trial only the stable version is', () => {
  const world = new SimulatedService(4);
  const before = world.windows(60).at(-1)!.baseline;
  // A little slower, on most of the traffic, but not by what matters.
  const onTrial = world.windows(100, { versions: { v1: {}, v2: { requests: 200, medianMs: 23 } } }).at(-1)!.baseline;
  expect(onTrial.p95Ms! / before.p95Ms!).toBeLessThan(1.05);
  const other = new SimulatedService(5);
  other.windows(30, { versions: { v1: { requests: 100 } } });
  // So few that the service as a whole is well, and nothing but the canary's own failure freezes what is learned.
  const failing = other.windows(80, { versions: { v1: { requests: 100 }, v2: { requests: 3, failing: 0.25 } } });
  expect(failing.every(({ errorsSli }) => errorsSli.verdict !== 'fail')).toBe(true);
  const first = failing.findIndex((each) => versionOf(each, 'v2')?.verdict === 'fail');
  expect(first).toBeGreaterThanOrEqual(0);
  for (const { baseline } of failing.slice(first + 2)) expect(baseline).toEqual(failing[first + 1]!.baseline);
});

test('one bad window alone does not fail a service', () => {
  for (const seed of SEEDS) {
    const world = new SimulatedService(seed);
    world.windows(30);
    expect(world.window({ versions: { v1: { failing: 1 } } }).errorsSli.verdict).not.toBe('fail');
  }
});

test('a failure of the whole service ends soon after it ended', () => {
  const delays = SEEDS.map((seed) => {
    const world = new SimulatedService(seed);
    world.windows(30);
    expect(world.windows(20, { versions: { v1: { failing: 0.18 } } }).at(-1)!.errorsSli.verdict).toBe('fail');
    return delayOf(world.windows(60), ({ errorsSli }) => errorsSli.verdict !== 'fail');
  });
  expect(quantile(delays, 1)).toBeLessThanOrEqual(8);
});

test('a canary that took over becomes the stable version', () => {
  const world = new SimulatedService(
    5,
    DetectorConfig.parse({ warmupWindows: 5, promoteWindows: 10, versionTtlWindows: 15 }),
  );
  world.windows(30);
  expect(versionOf(world.window(canary({})), 'v2')).toMatchObject({ role: 'canary', firstSeenMs: 31 * WINDOW_MS });
  const sole = world.windows(20, { versions: { v2: {} } });
  expect(versionOf(sole[5]!, 'v2')!.role).toBe('canary');
  expect(versionOf(sole.at(-1)!, 'v2')!.role).toBe('stable');
  expect(versionOf(sole.at(-1)!, 'v1')).toBeUndefined();
});

test('abstains on what stands for everything beyond a limit', () => {
  const world = new SimulatedService(6, DetectorConfig.parse({ warmupWindows: 5, subjectsMax: 1 }));
  world.windows(30);
  const many = world.windows(10, { versions: { v1: {}, v2: { failing: 1, requests: 5 }, [OVERFLOW]: {} } });
  expect(many.flatMap(({ versions }) => versions).every(({ errorsSli }) => errorsSli.reason === 'overflow')).toBe(true);
  for (const service of [OVERFLOW, 'one-too-many']) {
    const window = world.next({});
    world.tell({ ...window, subject: { ...window.subject, service } });
    expect(world.said.at(-1)).toMatchObject({
      errorsSli: { verdict: 'insufficient', reason: 'overflow' },
      requests: 40,
    });
  }
});
