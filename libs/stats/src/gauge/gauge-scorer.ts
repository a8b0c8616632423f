import { HOUR_MS } from '@flyball/core';
import { type DayProfileState, learnUsual, newDayProfile, usualAt } from './day-profile.ts';
import { deviationSurprise, type DeviationState, newDeviation } from './deviation.ts';
import { GAUGE_DEFAULTS, type GaugeConfig } from './gauge-config.ts';
import { heldBefore, type HoldState, newHold } from './hold.ts';
import { type IntervalState, learnInterval, newInterval } from './interval.ts';

/** Everything that is known of one gauge: a few KiB of plain JSON, however long it runs. */
export interface GaugeState {
  rows: number;
  interval: IntervalState;
  /** `null` until the interval is known. */
  day: DayProfileState | null;
  /** Mean of |value|. */
  magnitude: number;
  last: number;
  short: number;
  long: number;
  /** Mean absolute error of `short` as a forecast. */
  shortError: number;
  low: number;
  high: number;
  features: Record<DeviatingFeature, DeviationState>;
  hold: HoldState;
}

type DeviatingFeature = 'value' | 'change' | 'short_mean' | 'long_mean' | 'time_of_day';

/** What about a value is surprising: itself, its step, a mean of the last rows, the time of day, or a new extreme. */
export type GaugeFeature = DeviatingFeature | 'range';

/** What a gauge says of one row. */
export interface GaugeScore {
  /** What was expected of the row, by earlier rows; `null` when there is none. */
  readonly expected: number | null;
  /** 0 to 1; 0.5 at a surprise of `alertSurprise`. High only on rows that exceed all surprises within the hold. */
  readonly score: number;
  /** -log10 of a probability, 0 and up, whether told of before or not. */
  readonly surprise: number;
  /** What contributes most. */
  readonly feature: GaugeFeature;
}

/** Weights of exponential means over about 10 and 30 rows. */
const SHORT_RATIO = 2 / 11;
const LONG_RATIO = 2 / 31;
/** Larger magnitudes count as this one, so that no difference or sum is infinite. */
const VALUE_MAX = 1e300;
/** A new extreme is measured by this share of the known range. */
const RANGE_UNIT_RATIO = 0.1;
/** An extreme among n rows has odds of 2 in n; of a changing series, not beyond this n. */
const RANGE_ROWS_MAX = 10_000;
const RANGE_SURPRISE_MAX = 10;
/** A surprise that was told of is damped to this share, and below any tail. */
const DAMP_RATIO = 0.3;
const DAMPED_MAX = 1.5;
const HOLD_ROWS_MIN = 6;
/** Days that a slot must have seen before its mean is a forecast. */
const FORECAST_DAYS = 2;

/** A gauge of which nothing is known. */
export function newGauge(): GaugeState {
  return {
    rows: 0,
    interval: newInterval(),
    day: null,
    magnitude: 0,
    last: 0,
    short: 0,
    long: 0,
    shortError: 0,
    low: 0,
    high: 0,
    features: {
      value: newDeviation(0),
      change: newDeviation(null),
      short_mean: newDeviation(0),
      long_mean: newDeviation(0),
      time_of_day: newDeviation(0),
    },
    hold: newHold(),
  };
}

/**
 * Scores the next row of a gauge by the rows before it, then learns it.
 *
 * The unit of the value does not matter. A value that is no finite number is missing: it scores 0 and is not learned.
 * Instants may be irregular, repeat or go back: only the time of day is read from them, in UTC, and how often they come.
 *
 * @param atMs - ms since the epoch.
 */
export function scoreGauge(
  state: GaugeState,
  { atMs, value }: { readonly atMs: number; readonly value: number },
  config: GaugeConfig = GAUGE_DEFAULTS,
): GaugeScore {
  const expected = expectedOf(state, atMs);
  if (!Number.isFinite(value)) return { expected, score: 0, surprise: 0, feature: 'value' };
  const bounded = Math.max(-VALUE_MAX, Math.min(VALUE_MAX, value));
  const { surprise, feature } = surpriseOf(state, atMs, bounded, config);
  const told = heldBefore(state.hold, surprise, holdRowsOf(state, config)) * config.recordFactor;
  if (state.rows <= config.warmupRows) return { expected, score: 0, surprise, feature };
  const emitted = surprise > told ? surprise : Math.min(DAMP_RATIO * surprise, DAMPED_MAX);
  return { expected, score: emitted / (emitted + config.alertSurprise), surprise, feature };
}

/** The forecast that was least wrong lately: the last few rows, or the time of day. */
function expectedOf({ rows, day, short, shortError, features }: GaugeState, atMs: number): number | null {
  if (rows === 0) return null;
  const usual = day === null ? undefined : usualAt(day, atMs);
  const isSeasonal = usual !== undefined && usual.count >= FORECAST_DAYS && features.time_of_day.scale < shortError;
  return isSeasonal ? usual.mean : short;
}

function surpriseOf(
  state: GaugeState,
  atMs: number,
  value: number,
  config: GaugeConfig,
): Pick<GaugeScore, 'surprise' | 'feature'> {
  const isAfterGap = learnInterval(state.interval, atMs);
  if (state.day === null && state.interval.intervalMs !== null) state.day = newDayProfile(state.interval.intervalMs);
  const isFirst = state.rows === 0;
  const change = isFirst ? 0 : value - state.last;
  state.rows += 1;
  const weight = Math.max(config.learnRatio, 1 / state.rows);
  state.magnitude += weight * (Math.abs(value) - state.magnitude);
  state.shortError += weight * (Math.abs(isFirst ? 0 : value - state.short) - state.shortError);
  state.short = isFirst ? value : state.short + SHORT_RATIO * (value - state.short);
  state.long = isFirst ? value : state.long + LONG_RATIO * (value - state.long);
  state.last = value;

  let [first, second] = [0, 0];
  let feature: GaugeFeature = 'value';
  const take = (name: GaugeFeature, surprise: number) => {
    if (surprise > first) [first, second, feature] = [surprise, first, name];
    else if (surprise > second) second = surprise;
  };
  const floor = config.floorRatio * state.magnitude;
  const { features } = state;
  take('value', deviationSurprise(features.value, value, floor, config));
  if (!isFirst && !isAfterGap) take('change', deviationSurprise(features.change, change, floor, config));
  take('short_mean', deviationSurprise(features.short_mean, state.short, floor, config));
  take('long_mean', deviationSurprise(features.long_mean, state.long, floor, config));
  if (state.day !== null && Number.isFinite(atMs)) {
    const usual = usualAt(state.day, atMs);
    if (usual !== undefined) {
      const off = value > usual.high ? value - usual.high : value < usual.low ? value - usual.low : 0;
      take('time_of_day', deviationSurprise(features.time_of_day, off, floor, config));
    }
    learnUsual(state.day, atMs, value, config.dayRatio);
  }
  take('range', rangeSurprise(state, value, floor, config));
  return { surprise: (1 - config.secondWeight) * first + config.secondWeight * second, feature };
}

/** How surprising a new extreme is; then the known range takes it in, and forgets a little of what was long ago. */
function rangeSurprise(state: GaugeState, value: number, floor: number, config: GaugeConfig): number {
  const { low, high, rows } = state;
  if (rows === 1) {
    state.low = value;
    state.high = value;
    return 0;
  }
  const mean = state.features.value.mean ?? 0;
  state.low = Math.min(value, low + config.rangeForget * (mean - low));
  state.high = Math.max(value, high + config.rangeForget * (mean - high));
  const beyond = value > high ? value - high : low - value;
  if (beyond <= 0 || rows <= config.warmupRows) return 0;
  const unit = Math.max(RANGE_UNIT_RATIO * (high - low), floor, Number.MIN_VALUE);
  const decades = Math.log10(1 + Math.min((9 * beyond) / unit, Number.MAX_VALUE));
  return Math.min(RANGE_SURPRISE_MAX, Math.log10(Math.min(rows, RANGE_ROWS_MAX) / 2) + config.rangeGain * decades);
}

/** A hold is about half a day, so that what is sampled rarely is not silenced for days. */
function holdRowsOf({ interval: { intervalMs } }: GaugeState, { holdRowsMax, holdMs }: GaugeConfig): number {
  const rows = Math.round(holdMs / (intervalMs ?? HOUR_MS / 60));
  return Math.max(HOLD_ROWS_MIN, Math.min(holdRowsMax, rows));
}
