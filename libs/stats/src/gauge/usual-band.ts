import { GAUGE_DEFAULTS, type GaugeConfig } from './gauge-config.ts';
import type { GaugeState } from './gauge-scorer.ts';

/** Where the values of a gauge usually are. */
export interface UsualBand {
  readonly mean: number;
  /** Distance from the mean that a share of `tailRatio` of all rows exceeds, in the unit of the gauge. */
  readonly reach: number;
  /** Largest distance from zero that was seen. */
  readonly extreme: number;
  /** Rows that this rests on. */
  readonly rows: number;
}

/** Where the values of a gauge are, by the rows so far. */
export function usualBand(
  { features, magnitude, rows, low, high }: GaugeState,
  { floorRatio }: GaugeConfig = GAUGE_DEFAULTS,
): UsualBand {
  const { mean, scale, tail } = features.value;
  const unit = Math.max(scale, floorRatio * magnitude);
  return {
    mean: mean ?? 0,
    reach: tail.start * unit,
    extreme: Math.max(Math.abs(low), Math.abs(high)),
    rows,
  };
}
