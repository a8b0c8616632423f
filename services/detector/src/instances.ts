import { type InstanceAssessment, OVERFLOW, type SliAssessment, type Verdict, type Window } from '@flyball/contracts';
import { DurationSketch, shareBets } from '@flyball/stats';
import type { Normal } from './baseline.ts';
import type { DetectorConfig } from './config.ts';
import { quantileMs, type Sample, sampleOf, slowerThan } from './sample.ts';
import { CALM_LOG10_E, newWatch, watch, type WatchState } from './watch.ts';

/** An instance without requests for so many windows is forgotten. */
const IDLE_WINDOWS_MAX = 60;

/** One instance of a service. Plain data: it is a part of the snapshot. */
interface InstanceState {
  errors: WatchState;
  latency: WatchState;
  idleWindows: number;
}

/** Instances of a service, by name. */
export type InstancesState = Record<string, InstanceState>;

/** What a window is judged with. */
interface Judging {
  readonly window: Window;
  /** What is normal of the service: it says what is slow. */
  readonly normal: Normal;
  readonly config: DetectorConfig;
}

/**
 * Judges each instance by its siblings in the same window: what is wrong with all of them is no matter of an instance. A service
 * of one instance has none to compare.
 */
export function judgeInstances(state: InstancesState, { window, normal, config }: Judging): InstanceAssessment[] {
  const samples = new Map(
    window.series
      .filter(({ view, name }) => view === 'instance' && name !== OVERFLOW)
      .map((series) => [series.name, sampleOf(series)]),
  );
  for (const [name, known] of Object.entries(state)) {
    known.idleWindows = samples.has(name) ? 0 : known.idleWindows + 1;
    if (known.idleWindows > IDLE_WINDOWS_MAX) delete state[name];
  }
  if (samples.size < 2) return [];
  const all = [...samples].sort(([a], [b]) => (a < b ? -1 : 1));
  const total = sumOf(
    all.map(([, sample]) => sample),
    normal,
  );
  return all.map(([instance, sample]) => {
    const known = (state[instance] ??= { errors: newWatch(), latency: newWatch(), idleWindows: 0 });
    const own = sumOf([sample], normal);
    const rest = {
      requests: total.requests - own.requests,
      errors: total.errors - own.errors,
      slow: total.slow - own.slow,
    };
    const { startMs } = window;
    const errorsSli = judge(
      known.errors,
      { startMs, config },
      {
        ...{ bad: own.errors, requests: own.requests, controlBad: rest.errors, controlRequests: rest.requests },
        isWorse: (ratio, control) => ratio - control >= config.minErrorIncrease && ratio >= 2 * control,
        observed: own.requests === 0 ? null : own.errors / own.requests,
        expected: rest.requests === 0 ? null : rest.errors / rest.requests,
      },
    );
    const p95Ms = quantileMs(sample, 0.95);
    const siblingsMs = p95Of(all.filter(([name]) => name !== instance).map(([, each]) => each));
    const latencySli = judge(
      known.latency,
      { startMs, config },
      {
        ...{ bad: own.slow, requests: own.requests, controlBad: rest.slow, controlRequests: rest.requests },
        isWorse: (ratio, control) =>
          ratio >= 2 * Math.max(control, normal.slowRatio) &&
          (p95Ms ?? 0) >= config.minLatencyRatio * (siblingsMs ?? normal.p95Us / 1_000),
        observed: p95Ms,
        expected: siblingsMs,
      },
    );
    const { requests, errors } = sample;
    const verdict = together(errorsSli.verdict, latencySli.verdict);
    return { instance, requests, errors, p95Ms, verdict, errorsSli, latencySli };
  });
}

interface Comparison {
  readonly bad: number;
  readonly requests: number;
  readonly controlBad: number;
  readonly controlRequests: number;
  readonly isWorse: (ratio: number, control: number) => boolean;
  readonly observed: number | null;
  readonly expected: number | null;
}

function judge(
  state: WatchState,
  { startMs, config }: { readonly startMs: number; readonly config: DetectorConfig },
  of: Comparison,
): SliAssessment {
  const { bad, requests, controlBad, controlRequests, isWorse, observed, expected } = of;
  const control = controlRequests === 0 ? 0 : controlBad / controlRequests;
  const bets = shareBets({ bad, total: requests, controlBad, controlTotal: controlRequests });
  const matters = (some: number, all: number) => all > 0 && isWorse(some / all, control);
  const { log10E, ...since } = watch(state, { startMs, bad, requests, bets, matters }, config);
  const isHealthy = !state.isFailing && log10E < CALM_LOG10_E && requests >= config.minRequests;
  const verdict = state.isFailing ? 'fail' : isHealthy ? 'pass' : 'insufficient';
  const few = requests < config.minRequests ? 'few_requests' : 'undecided';
  const reason = state.isFailing ? 'regressed' : isHealthy ? 'healthy' : few;
  const sinceMs = state.isFailing ? state.sinceMs : null;
  return { verdict, reason, observed, expected, log10E, ...since, controlBad, controlRequests, sinceMs };
}

function sumOf(samples: readonly Sample[], { p95Us }: Normal) {
  return samples.reduce(
    ({ requests, errors, slow }, sample) => ({
      requests: requests + sample.requests,
      errors: errors + sample.errors,
      slow: slow + slowerThan(sample, p95Us),
    }),
    { requests: 0, errors: 0, slow: 0 },
  );
}

function p95Of(samples: readonly Sample[]): number | null {
  const sketch = new DurationSketch();
  for (const sample of samples) sketch.merge(sample.sketch);
  return sketch.count === 0 ? null : sketch.quantile(0.95) / 1_000;
}

function together(a: Verdict, b: Verdict): Verdict {
  if (a === 'fail' || b === 'fail') return 'fail';
  return a === 'pass' && b === 'pass' ? 'pass' : 'insufficient';
}
