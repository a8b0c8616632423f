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

/** An interval that is not known. */
export function newInterval(): IntervalState {
  return { lastMs: null, steps: [], intervalMs: null };
}

/** Learns from the next instant. Those that repeat or go back, as when a clock is set, say nothing. */
export function learnInterval(state: IntervalState, atMs: number): void {
  if (state.intervalMs !== null) return;
  if (state.lastMs !== null && atMs > state.lastMs) state.steps.push(atMs - state.lastMs);
  state.lastMs = atMs;
  if (state.steps.length < STEPS) return;
  state.intervalMs = [...state.steps].sort((a, b) => a - b)[STEPS / 2]!;
  state.steps = [];
}
