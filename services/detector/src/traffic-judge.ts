import type { Calm, Signal, Window } from '@flyball/contracts';
import { countBets, dropBets } from '@flyball/stats';
import type { DetectorConfig } from './config.ts';
import { serviceSample } from './sample.ts';
import { onCalm, onFinding, type SeriesEpisodesState } from './series-episodes.ts';
import { newWatch, watch, type WatchState } from './watch.ts';

/** Requests per window of a service. Plain data: it is a part of the snapshot. */
export interface TrafficState {
  /** Decayed sums: requests, their squares, windows. */
  requests: number;
  squares: number;
  weight: number;
  windows: number;
  drop: WatchState;
  spike: WatchState;
}

/** Traffic of a service of which nothing is known. */
export function newTraffic(): TrafficState {
  return { requests: 0, squares: 0, weight: 0, windows: 0, drop: newWatch(), spike: newWatch() };
}

/** Traffic drifts: it is followed faster than what is normal of errors. */
const KEEP_RATIO = 0.97;
/** So many times the usual, or a share of one over it, is a change that matters. */
const RATIO_MIN = 3;
/** A window of less than this has no rate to drop from: e^-14 is below one in a million. */
const EXPECTED_MIN = 14;

/**
 * Judges the requests of a window: a drop, down to none, and a spike. Counts are taken as Poisson, wider by as much as those
 * before were (their variance over their mean). Traffic explains; alone it never justifies more than to tell somebody.
 */
export function judgeTraffic(
  state: TrafficState,
  episodes: SeriesEpisodesState,
  window: Window,
  config: DetectorConfig,
): (Signal | Calm)[] {
  if (window.coverage < 1 || window.lateSpans > 0) return [];
  const { requests, slowestTraceId: traceId } = serviceSample(window);
  const mean = state.weight === 0 ? 0 : state.requests / state.weight;
  const variance = state.weight === 0 ? 0 : Math.max(0, state.squares / state.weight - mean * mean);
  const spread = Math.max(1, variance / Math.max(1, mean));
  const said: (Signal | Calm)[] = [];
  const sight = { subject: window.subject, endMs: window.endMs, config };
  const isJudged = state.windows >= config.warmupWindows && mean >= EXPECTED_MIN;
  if (isJudged) {
    const reading = { startMs: window.startMs, bad: requests, requests };
    const [count, expected] = [requests / spread, mean / spread];
    for (const [name, watched, bets, matters] of [
      ['drop', state.drop, dropBets(count, expected), () => requests * RATIO_MIN <= mean],
      ['spike', state.spike, countBets(count, expected), () => requests >= RATIO_MIN * mean],
    ] as const) {
      const { log10E, ...since } = watch(watched, { ...reading, bets, matters }, config);
      const series = `traffic ${name}`;
      if (!watched.isFailing) {
        said.push(...onCalm(episodes, series, sight));
        continue;
      }
      const about = { kind: 'traffic' as const, series, instance: '', unit: '{request}', sinceMs: watched.sinceMs };
      const numbers = { observed: requests, expected: mean, log10E, ...since };
      const finding = { ...about, ...numbers, alarmLog10E: config.alarmLog10E, traceId, detector: 'traffic@1' };
      said.push(...onFinding(episodes, finding, sight));
    }
  }
  const isOff = [state.drop, state.spike].some(({ isFailing, isSuspect }) => isFailing || isSuspect);
  if (requests === 0 || isOff) return said;
  state.requests = state.requests * KEEP_RATIO + requests;
  state.squares = state.squares * KEEP_RATIO + requests * requests;
  state.weight = state.weight * KEEP_RATIO + 1;
  state.windows += 1;
  return said;
}
