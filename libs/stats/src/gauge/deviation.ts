import type { GaugeConfig } from './gauge-config.ts';
import { newTail, tailSurprise, type TailState } from './tail.ts';

/** How one feature of a gauge usually deviates. Plain data: it is a part of a snapshot. */
export interface DeviationState {
  count: number;
  /** What it deviates from; `null` for a feature that is itself a deviation, from 0. */
  mean: number | null;
  /** Mean absolute deviation. */
  scale: number;
  tail: TailState;
}

/** No scale is smaller: a division by it stays a number. */
const SCALE_MIN = 1e-300;
/** A deviation of more scales is as good as infinite. */
const SIZE_MAX = 1e12;

/** A feature of which nothing is known; one with the mean `null` deviates from 0. */
export function newDeviation(mean: 0 | null): DeviationState {
  return { count: 0, mean, scale: 0, tail: newTail() };
}

/**
 * How surprising the deviation of `value` from what is usual is, as -log10 of a probability; then learns it.
 *
 * @param floor - smallest scale that counts, in the unit of the gauge.
 */
export function deviationSurprise(state: DeviationState, value: number, floor: number, config: GaugeConfig): number {
  state.count += 1;
  const weight = Math.max(config.learnRatio, 1 / state.count);
  const deviation = value - (state.mean ?? 0);
  const scale = Math.max(state.scale, floor, SCALE_MIN);
  const size = Math.min(Math.abs(deviation) / scale, SIZE_MAX);
  // The first value has no mean, the second no scale.
  const surprise = state.count <= 2 ? 0 : tailSurprise(state.tail, size, config);
  const limit = state.count <= config.warmupRows ? Infinity : config.clipScales * scale;
  const learned = Math.max(-limit, Math.min(limit, deviation));
  if (state.mean !== null) state.mean += weight * learned;
  state.scale += weight * (Math.abs(learned) - state.scale);
  return surprise;
}
