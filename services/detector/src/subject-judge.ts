import { type Assessment, OVERFLOW, type SliAssessment, type Window } from '@flyball/contracts';
import { type BaselineState, isLearned, learn, newBaseline, type Normal, normalOf } from './baseline.ts';
import { byName } from './by-name.ts';
import type { DetectorConfig } from './config.ts';
import { type InstancesState, judgeInstances } from './instances.ts';
import { isOverflowed, quantileMs, type Sample, serviceSample, slowerThan, versionSamples } from './sample.ts';
import { follow, judgeVersions, unjudged, type VersionsState } from './versions.ts';
import { CALM_LOG10_E, newWatch, watch, type Watched, type WatchState, worseBets } from './watch.ts';

/** Everything that the detector knows of one service. Plain data: it is a part of the snapshot. */
export interface SubjectState {
  baseline: BaselineState;
  errors: WatchState;
  latency: WatchState;
  versions: VersionsState;
  /** Missing up to line 3. */
  instances?: InstancesState;
  /** An entry was lost: the next window is not to be believed. */
  isHurt: boolean;
}

/** A service of which nothing is known. */
export function newSubject(): SubjectState {
  return {
    baseline: newBaseline(),
    errors: newWatch(),
    latency: newWatch(),
    versions: [],
    instances: byName(),
    isHurt: false,
  };
}

/** Judges one window of one service, and learns from it what may be learned. */
export function judgeSubject(state: SubjectState, window: Window, config: DetectorConfig): Assessment {
  const sample = serviceSample(window);
  const coverage = state.isHurt ? 0 : window.coverage;
  const blocked = blockedBy(window, sample, coverage);
  state.isHurt = false;
  const normal = isLearned(state.baseline, config) ? normalOf(state.baseline) : undefined;
  const context = {
    startMs: window.startMs,
    endMs: window.endMs,
    samples: versionSamples(window),
    normal,
    isOverflowed: isOverflowed(window, 'version'),
    config,
  };
  let [errorsSli, latencySli] = [unjudged(blocked ?? 'warming', sample), unjudged(blocked ?? 'warming', sample)];
  const versions = [];
  const instances = [];
  if (blocked === undefined) {
    follow(state.versions, context);
    if (normal !== undefined) {
      errorsSli = judgeErrors(state, window, { sample, normal, config });
      latencySli = judgeLatency(state, window, { sample, normal, config });
    }
    versions.push(...judgeVersions(state.versions, context));
    if (normal !== undefined)
      instances.push(...judgeInstances((state.instances ??= byName()), { window, normal, config }));
    const isOpen = isOff(state.errors) || isOff(state.latency) || versions.some(({ verdict }) => verdict === 'fail');
    if (!isOpen) learn(state.baseline, learnable(versions.length, state, context.samples) ?? sample, config);
  }
  const isSilent = blocked === 'silent' && state.baseline.windows > 0;
  const baseline = baselineOf(normal);
  return assessmentOf(window, sample, {
    ...{ coverage, isSilent, baseline, errorsSli, latencySli, versions, instances },
  });
}

/** Assesses a service beyond the limit of those that are judged: it is seen, and nothing is concluded. */
export function abstain(window: Window): Assessment {
  const sample = serviceSample(window);
  return assessmentOf(window, sample, {
    coverage: window.coverage,
    isSilent: false,
    baseline: baselineOf(undefined),
    errorsSli: unjudged('overflow', sample),
    latencySli: unjudged('overflow', sample),
    versions: [],
    instances: [],
  });
}

type Findings = Pick<
  Assessment,
  'coverage' | 'isSilent' | 'baseline' | 'errorsSli' | 'latencySli' | 'versions' | 'instances'
>;

function assessmentOf({ subject, startMs, endMs }: Window, sample: Sample, findings: Findings): Assessment {
  const { requests, errors } = sample;
  const counts = { requests, errors, p50Ms: quantileMs(sample, 0.5), p95Ms: quantileMs(sample, 0.95) };
  return { type: 'assessment', subject, startMs, endMs, ...counts, ...findings };
}

/** Whether a rate fails, or is on its way there: what may be a fault must not be learned as normal before it is told. */
function isOff({ isFailing, isSuspect }: WatchState): boolean {
  return isFailing || isSuspect;
}

/** Why nothing may be concluded from a window, or `undefined`. */
function blockedBy(window: Window, sample: Sample, coverage: number): SliAssessment['reason'] | undefined {
  if (coverage < 1) return 'low_coverage';
  if (window.subject.service === OVERFLOW || isOverflowed(window, 'service')) return 'overflow';
  if (sample.requests === 0) return window.lateSpans > 0 ? 'late_data' : 'silent';
  return undefined;
}

/** While a canary is on trial only the stable version is normal. */
function learnable(count: number, state: SubjectState, samples: ReadonlyMap<string, Sample>): Sample | undefined {
  return count < 2 ? undefined : samples.get(state.versions[0]!.version);
}

interface Judging {
  readonly sample: Sample;
  readonly normal: Normal;
  readonly config: DetectorConfig;
}

function judgeErrors(
  { errors: state }: SubjectState,
  { startMs }: Window,
  { sample, normal, config }: Judging,
): SliAssessment {
  const { requests, errors: bad } = sample;
  const rate = normal.errorRatio;
  const matters = (some: number, of: number) => some / of - rate >= config.minErrorIncrease && some / of >= 2 * rate;
  const bets = worseBets(bad, requests, { rate, bound: normal.bounds.errorRatio });
  const watched = watch(state, { startMs, bad, requests, bets, matters }, config);
  return sliOf(state, watched, { observed: bad / requests, expected: rate, requests, config });
}

function judgeLatency(
  { latency: state }: SubjectState,
  { startMs }: Window,
  { sample, normal, config }: Judging,
): SliAssessment {
  const { requests } = sample;
  const bad = slowerThan(sample, normal.p95Us);
  const p95Ms = quantileMs(sample, 0.95)!;
  const expected = normal.p95Us / 1_000;
  // Twice as many slow ones as usual, and a p95 that has grown: either alone is noise.
  const matters = (some: number, of: number) =>
    some / of >= 2 * normal.slowRatio && p95Ms >= config.minLatencyRatio * expected;
  const bets = worseBets(bad, requests, { rate: normal.slowRatio, bound: normal.bounds.slowRatio });
  const watched = watch(state, { startMs, bad, requests, bets, matters }, config);
  return sliOf(state, watched, { observed: p95Ms, expected, requests, config });
}

function sliOf(
  state: WatchState,
  { log10E, bad, requests: since }: Watched,
  now: { observed: number; expected: number; requests: number; config: DetectorConfig },
): SliAssessment {
  const { observed, expected, requests, config } = now;
  const isHealthy = !state.isFailing && log10E < CALM_LOG10_E && requests >= config.minRequests;
  const reason = state.isFailing
    ? 'regressed'
    : isHealthy
      ? 'healthy'
      : requests < config.minRequests
        ? 'few_requests'
        : 'undecided';
  const verdict = state.isFailing ? 'fail' : isHealthy ? 'pass' : 'insufficient';
  const counts = { bad, requests: since, controlBad: 0, controlRequests: 0 };
  return { verdict, reason, observed, expected, log10E, ...counts, sinceMs: state.isFailing ? state.sinceMs : null };
}

function baselineOf(normal: Normal | undefined): Assessment['baseline'] {
  if (normal === undefined) return { state: 'warming', errorRatio: null, p95Ms: null, requests: null };
  const { errorRatio, p95Us, requests } = normal;
  return { state: 'learned', errorRatio, p95Ms: p95Us / 1_000, requests };
}
