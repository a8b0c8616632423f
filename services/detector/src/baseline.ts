import { DurationSketch, rateBound, type SketchData } from '@flyball/stats';
import type { DetectorConfig } from './config.ts';
import type { Sample } from './sample.ts';

/** Lowest error ratio that is expected of anybody: nothing is perfect. */
const ERROR_RATIO_MIN = 0.001;
/** Share of requests above the p95; kept away from 0 for coarse sketches. */
const SLOW_RATIO_MIN = 0.01;

/** What is normal for a service, learned with slow forgetting. Plain data: it is a part of the snapshot. */
export interface BaselineState {
  windows: number;
  requests: number;
  errors: number;
  /** Requests and windows alike decayed, for the mean. */
  weight: number;
  sketch: SketchData;
}

/** Normal of a service of which nothing is known. */
export function newBaseline(): BaselineState {
  return { windows: 0, requests: 0, errors: 0, weight: 0, sketch: { zeroCount: 0, offset: 0, counts: [] } };
}

/** Learns a window. What was learned before fades by `keepRatio`. */
export function learn(state: BaselineState, sample: Sample, { keepRatio }: DetectorConfig): void {
  if (sample.requests === 0) return;
  state.windows += 1;
  state.requests = state.requests * keepRatio + sample.requests;
  state.errors = state.errors * keepRatio + sample.errors;
  state.weight = state.weight * keepRatio + 1;
  const sketch = new DurationSketch();
  sketch.merge(state.sketch, keepRatio);
  sketch.merge(sample.sketch);
  state.sketch = sketch.toData();
}

/** Whether enough was learned to judge by. */
export function isLearned({ windows }: BaselineState, { warmupWindows }: DetectorConfig): boolean {
  return windows >= warmupWindows;
}

/** Normal, in the units of the SLIs. */
export interface Normal {
  /** 0 to 1. */
  readonly errorRatio: number;
  readonly p95Us: number;
  /** Share of requests slower than the p95, 0 to 1; about 0.05. */
  readonly slowRatio: number;
  /** How high each ratio may be by what was learned, 0 to 1: a service of which a hundred requests are known can be far worse than it looked. */
  readonly bounds: { readonly errorRatio: number; readonly slowRatio: number };
  /** Requests per window. */
  readonly requests: number;
}

/** What was learned. Ratios are drawn half a request towards trouble: few requests are no proof of perfection. */
export function normalOf({ requests, errors, weight, sketch }: BaselineState): Normal {
  const durations = DurationSketch.from(sketch);
  const p95Us = durations.quantile(0.95);
  const slow = requests === 0 ? 0 : durations.countAbove(p95Us);
  return {
    errorRatio: Math.max(ERROR_RATIO_MIN, (errors + 0.5) / (requests + 1)),
    p95Us,
    slowRatio: Math.max(SLOW_RATIO_MIN, requests === 0 ? 0 : slow / durations.count),
    bounds: { errorRatio: rateBound(errors, requests), slowRatio: rateBound(slow, durations.count) },
    requests: weight === 0 ? 0 : requests / weight,
  };
}
