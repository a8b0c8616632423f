import type { GaugeConfig } from './gauge-config.ts';

/** The tail of a stream of sizes, 0 and up. Plain data: it is a part of a snapshot. */
export interface TailState {
  count: number;
  /** Where the tail starts: about a share `tailRatio` of all sizes are above. */
  start: number;
  peaks: number;
  /** Mean excess of peaks over `start`. */
  excess: number;
}

/** Sizes are in units of a scale, so the tail of a well-behaved stream starts beyond 1. */
const START_MIN = 1;
/** Least mean excess, as a ratio of the start: a few equal peaks do not make any larger one impossible. */
const EXCESS_MIN_RATIO = 0.1;
/** The start moves fast at first, in so many rows. */
const SETTLING_ROWS = 10;

/** A tail of which nothing is known. */
export function newTail(): TailState {
  return { count: 0, start: START_MIN, peaks: 0, excess: 1 };
}

/**
 * How surprising a size is: -log10 of the probability of one as large, by an exponential tail over a quantile that is
 * learned; then learns it. Below the tail, where nobody asks, it is linear.
 *
 * Source: A. Siffer et al., "Anomaly detection in streams with extreme value theory" (KDD 2017), with the shape of
 * the Pareto tail held at 0, since a few dozen peaks cannot tell it.
 */
export function tailSurprise(state: TailState, size: number, config: GaugeConfig): number {
  const { tailRatio } = config;
  const { start, excess } = state;
  const isPeak = size > start;
  const atStart = -Math.log10(tailRatio);
  const surprise = isPeak ? atStart + (size - start) / (excess * Math.LN10) : (atStart * size) / start;
  state.count += 1;
  if (isPeak) {
    state.peaks += 1;
    const weight = Math.max(config.peakRatio, 1 / (state.peaks + 2));
    const learned = excess + weight * (Math.min(size - start, config.peakClip * excess) - excess);
    state.excess = Math.max(learned, EXCESS_MIN_RATIO * start);
  }
  const step = Math.max(config.tailStep, SETTLING_ROWS / (state.count + SETTLING_ROWS)) * start;
  state.start = Math.max(START_MIN, start + step * (isPeak ? 1 - tailRatio : -tailRatio));
  return surprise;
}
