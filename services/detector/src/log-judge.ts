import type { Calm, Signal, Window } from '@flyball/contracts';
import { countBets } from '@flyball/stats';
import type { DetectorConfig } from './config.ts';
import { onCalm, onFinding, type SeriesEpisodesState } from './series-episodes.ts';
import { newWatch, watch, type WatchState } from './watch.ts';

/** Error records of a service. Plain data: it is a part of the snapshot. */
export interface LogsState {
  /** Decayed sums of error records and of windows, for the mean. */
  errors: number;
  weight: number;
  windows: number;
  watch: WatchState;
}

/** Logs of a service of which nothing is known. */
export function newLogs(): LogsState {
  return { errors: 0, weight: 0, windows: 0, watch: newWatch() };
}

/** Fewer error records per window than this are expected of nobody. */
const EXPECTED_MIN = 0.2;
/** A burst of fewer error records than this is nobody's trouble. */
const ERRORS_MIN = 5;
const SERIES = 'log errors';

/** Judges a window of logs: whether there are more error records than there used to be. */
export function judgeLogs(
  state: LogsState,
  episodes: SeriesEpisodesState,
  window: Window,
  config: DetectorConfig,
): (Signal | Calm)[] {
  const severities = window.series.filter(({ view }) => view === 'severity');
  const bad = severities.reduce((sum, { errors }) => sum + errors, 0);
  const requests = severities.reduce((sum, { count }) => sum + count, 0);
  if (window.coverage < 1) return [];
  const expected = Math.max(EXPECTED_MIN, state.weight === 0 ? 0 : (state.errors + 0.5) / state.weight);
  const sight = { subject: window.subject, endMs: window.endMs, config };
  const said: (Signal | Calm)[] = [];
  if (state.windows >= config.warmupWindows) {
    const matters = (some: number) => some >= ERRORS_MIN && bad >= 2 * expected;
    const bets = countBets(bad, expected);
    const { log10E, ...since } = watch(state.watch, { startMs: window.startMs, bad, requests, bets, matters }, config);
    if (state.watch.isFailing) {
      const traceId = severities.find(({ errorTraceId }) => errorTraceId !== '')?.errorTraceId ?? '';
      const about = { kind: 'errors' as const, series: SERIES, instance: '', unit: '{record}' };
      const numbers = { sinceMs: state.watch.sinceMs, observed: bad, expected, log10E, ...since };
      said.push(
        ...onFinding(
          episodes,
          { ...about, ...numbers, alarmLog10E: config.alarmLog10E, traceId, detector: 'logs@1' },
          sight,
        ),
      );
    } else said.push(...onCalm(episodes, SERIES, sight));
  }
  if (!state.watch.isFailing && !state.watch.isSuspect) {
    state.errors = state.errors * config.keepRatio + bad;
    state.weight = state.weight * config.keepRatio + 1;
    state.windows += 1;
  }
  return said;
}
