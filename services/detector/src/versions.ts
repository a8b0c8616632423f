import type { SliAssessment, Verdict, VersionAssessment } from '@flyball/contracts';
import type { Normal } from './baseline.ts';
import type { DetectorConfig } from './config.ts';
import { quantileMs, type Sample, slowerThan } from './sample.ts';
import { controlRate, hear, newTrial, p95Ms, type TrialState } from './trial.ts';

/** A version that had requests. Plain data: it is a part of the snapshot. */
interface VersionState {
  readonly version: string;
  /** Start and end of the first window that it was seen in, ms. */
  readonly firstStartMs: number;
  readonly firstSeenMs: number;
  silentWindows: number;
  /** Windows in a row that it served while the stable one did not. */
  aloneWindows: number;
  errors: TrialState;
  latency: TrialState;
}

/** All versions of a service. The first is the stable one. */
export type VersionsState = VersionState[];

/** What a window is compared with. */
export interface VersionContext {
  readonly startMs: number;
  readonly endMs: number;
  readonly samples: ReadonlyMap<string, Sample>;
  /** What was learned, or `undefined` while it is being learned. */
  readonly normal: Normal | undefined;
  readonly isOverflowed: boolean;
  readonly config: DetectorConfig;
}

const NO_SAMPLE: Sample = {
  requests: 0,
  errors: 0,
  sketch: { zeroCount: 0, offset: 0, counts: [] },
  errorTraceId: '',
  slowestTraceId: '',
};

/** Takes in which versions served: new ones join, a lone canary is promoted, silent canaries are forgotten. */
export function follow(state: VersionsState, { samples, startMs, endMs, config }: VersionContext): void {
  const names = [...samples]
    .sort(([a, x], [b, y]) => y.requests - x.requests || (a < b ? -1 : 1))
    .map(([name]) => name);
  for (const version of names) {
    if (state.some((known) => known.version === version) || state.length >= config.versionsMax) continue;
    const fresh = { version, firstStartMs: startMs, firstSeenMs: endMs, silentWindows: 0, aloneWindows: 0 };
    state.push({ ...fresh, errors: newTrial(), latency: newTrial() });
  }
  const isServing = (known: VersionState) => (samples.get(known.version)?.requests ?? 0) > 0;
  const isStableServing = state[0] !== undefined && isServing(state[0]);
  for (const known of state) {
    known.silentWindows = isServing(known) ? 0 : known.silentWindows + 1;
    known.aloneWindows = isServing(known) && !isStableServing ? known.aloneWindows + 1 : 0;
  }
  const heir = state.findIndex(({ aloneWindows }, index) => index > 0 && aloneWindows >= config.promoteWindows);
  if (heir > 0)
    state.splice(0, state.length, state[heir]!, ...state.filter((_, index) => index !== heir && index !== 0));
  const kept = state.filter(({ silentWindows }, index) => index === 0 || silentWindows < config.versionTtlWindows);
  state.splice(0, state.length, ...kept);
}

/** Judges every version by a covered window. */
export function judgeVersions(state: VersionsState, context: VersionContext): VersionAssessment[] {
  const { samples } = context;
  const total = [...samples.values()].reduce((sum, { requests }) => sum + requests, 0);
  const [stable] = state;
  return state.map((known, index) => {
    const sample = samples.get(known.version) ?? NO_SAMPLE;
    const control = stable === undefined ? NO_SAMPLE : (samples.get(stable.version) ?? NO_SAMPLE);
    const [errorsSli, latencySli] =
      index === 0
        ? bothUnjudged(context.isOverflowed ? 'overflow' : 'no_control', sample)
        : judgeCanary(known, sample, control, context);
    return {
      version: known.version,
      role: index === 0 ? 'stable' : 'canary',
      firstSeenMs: known.firstSeenMs,
      requests: sample.requests,
      errors: sample.errors,
      trafficRatio: total === 0 ? 0 : sample.requests / total,
      p95Ms: quantileMs(sample, 0.95),
      verdict: together(errorsSli.verdict, latencySli.verdict),
      errorsSli,
      latencySli,
    };
  });
}

function judgeCanary(
  known: VersionState,
  sample: Sample,
  control: Sample,
  context: VersionContext,
): [SliAssessment, SliAssessment] {
  const { normal, isOverflowed } = context;
  if (isOverflowed) return bothUnjudged('overflow', sample);
  if (sample.requests === 0) return bothUnjudged('silent', sample);
  if (normal === undefined) {
    return bothUnjudged(control.requests === 0 ? 'no_control' : 'warming', sample);
  }
  return [
    judgeErrors(known, sample, control, { ...context, normal }),
    judgeLatency(known, sample, control, { ...context, normal }),
  ];
}

type Judging = VersionContext & { readonly normal: Normal };

function judgeErrors(known: VersionState, sample: Sample, control: Sample, { normal, config }: Judging): SliAssessment {
  const trial = known.errors;
  const isWorse = (ratio: number, expected: number) =>
    ratio - expected >= config.minErrorIncrease && ratio >= 2 * expected;
  const controlNow =
    control.requests === 0 ? normal.errorRatio : Math.max(normal.errorRatio, control.errors / control.requests);
  const log10E = hear(
    trial,
    {
      bad: sample.errors,
      requests: sample.requests,
      sketch: sample.sketch,
      control: { bad: control.errors, requests: control.requests, sketch: control.sketch },
      rate: normal.errorRatio,
      bound: normal.bounds.errorRatio,
      matters: (state) => isWorse(state.bad / state.requests, controlRate(state, normal.errorRatio)),
      isBadWindow: isWorse(sample.errors / sample.requests, controlNow),
    },
    config,
  );
  const observed = trial.requests === 0 ? sample.errors / sample.requests : trial.bad / trial.requests;
  return verdictOf(known, trial, { log10E, observed, expected: controlRate(trial, normal.errorRatio) }, config);
}

function judgeLatency(
  known: VersionState,
  sample: Sample,
  control: Sample,
  { normal, config }: Judging,
): SliAssessment {
  const trial = known.latency;
  const expectedMs = (state: TrialState) => p95Ms(state.controlSketch) ?? normal.p95Us / 1_000;
  const isSlower = (ms: number | null, expected: number) => ms !== null && ms >= config.minLatencyRatio * expected;
  const log10E = hear(
    trial,
    {
      bad: slowerThan(sample, normal.p95Us),
      requests: sample.requests,
      sketch: sample.sketch,
      control: { bad: slowerThan(control, normal.p95Us), requests: control.requests, sketch: control.sketch },
      rate: normal.slowRatio,
      bound: normal.bounds.slowRatio,
      matters: (state) => isSlower(p95Ms(state.sketch), expectedMs(state)),
      isBadWindow: isSlower(quantileMs(sample, 0.95), quantileMs(control, 0.95) ?? normal.p95Us / 1_000),
    },
    config,
  );
  const observed = p95Ms(trial.sketch) ?? quantileMs(sample, 0.95);
  return verdictOf(known, trial, { log10E, observed, expected: expectedMs(trial) }, config);
}

function verdictOf(
  known: VersionState,
  trial: TrialState,
  numbers: Pick<SliAssessment, 'log10E' | 'observed' | 'expected'>,
  config: DetectorConfig,
): SliAssessment {
  const { bad, requests, controlBad, controlRequests } = trial;
  const isHealthy = !trial.isFailing && trial.healthLog / Math.LN10 >= config.passLog10E;
  const verdict: Verdict = trial.isFailing ? 'fail' : isHealthy ? 'pass' : 'insufficient';
  const reason = trial.isFailing
    ? 'regressed'
    : isHealthy
      ? 'healthy'
      : requests < config.minRequests
        ? 'few_requests'
        : 'undecided';
  const counts = { bad, requests, controlBad, controlRequests };
  return { verdict, reason, ...numbers, ...counts, sinceMs: trial.isFailing ? known.firstStartMs : null };
}

/** An SLI of which nothing can be said. */
export function unjudged(
  reason: SliAssessment['reason'],
  { requests, errors }: Pick<Sample, 'requests' | 'errors'>,
): SliAssessment {
  const nothing = { observed: null, expected: null, log10E: 0, controlBad: 0, controlRequests: 0, sinceMs: null };
  return { verdict: 'insufficient', reason, ...nothing, bad: errors, requests };
}

function bothUnjudged(reason: SliAssessment['reason'], sample: Sample): [SliAssessment, SliAssessment] {
  return [unjudged(reason, sample), unjudged(reason, sample)];
}

function together(a: Verdict, b: Verdict): Verdict {
  if (a === 'fail' || b === 'fail') return 'fail';
  return a === 'pass' && b === 'pass' ? 'pass' : 'insufficient';
}
