import { median } from 'simple-statistics';

/** How often values come. Plain data: it is a part of a snapshot. */
export interface IntervalState {
  lastMs: number | null;
  /** Steps seen while the interval is not known. */
  steps: number[];
  /** ms; `null` while it is not known. */
  intervalMs: number | null;
}

/** Steps that the interval is the median of. */
const STEPS = 16;
/** A longer step than so many intervals is a gap. */
const GAP_INTERVALS = 3;

/** An interval that is not known. */
export function newInterval(): IntervalState {
  return { lastMs: null, steps: [], intervalMs: null };
}

/**
 * Learns from the next instant. Those that repeat or go back, as when a clock is set, say nothing.
 *
 * @returns whether rows are missing before it, so that the last value is not the one before.
 */
export function learnInterval(state: IntervalState, atMs: number): boolean {
  const stepMs = state.lastMs === null ? 0 : atMs - state.lastMs;
  if (Number.isFinite(atMs)) state.lastMs = atMs;
  if (state.intervalMs !== null) return stepMs > GAP_INTERVALS * state.intervalMs;
  if (stepMs > 0 && Number.isFinite(stepMs)) state.steps.push(stepMs);
  if (state.steps.length < STEPS) return false;
  state.intervalMs = median(state.steps);
  state.steps = [];
  return false;
}
