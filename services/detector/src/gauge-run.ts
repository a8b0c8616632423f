import { HOUR_MS } from '@flyball/core';
import { GAUGE_DEFAULTS, type GaugeScore, type UsualBand } from '@flyball/stats';
import type { MetricKind } from './metric-kind.ts';

/** A run of points of a metric stream that are off. Plain data: it is a part of the snapshot. */
export interface GaugeRun {
  /** Time of its first point, ms. */
  readonly sinceMs: number;
  /** What was expected of its first point. */
  readonly expected: number;
  /** Where the values were before it: what is off does not become usual by lasting. */
  readonly mean: number;
  readonly reach: number;
  /** Where nearly all was zero: how many points that was, and the largest of them. Else `null`. */
  readonly sparse: { readonly rows: number; readonly extreme: number } | null;
  points: number;
  /** Largest surprise of a point, log10. */
  peak: number;
}

/** A point to be judged. */
export interface GaugePoint {
  readonly atMs: number;
  readonly value: number;
  /** Surprise from which on a point is off by itself. */
  readonly alertSurprise: number;
  readonly about: MetricKind;
  /** Nearly all points were zero: there is hardly a measure for how far off another is. */
  readonly isSparse: boolean;
}

/** A level must be off by so much of what was expected: smaller changes are nobody's trouble. */
const RATIO_MIN = 0.2;
/** Neighbours are alike: a further point is this share of the evidence that an independent one were. */
const NEIGHBOUR_SHARE = 0.5;
/** Evidence of a further point beyond the reach, log10. */
const POINT_LOG10E = -Math.log10(GAUGE_DEFAULTS.tailRatio) * NEIGHBOUR_SHARE;
/** Evidence for each decade by which a point is larger than all that was seen, where that was mostly zero. */
const SPARSE_GAIN = 3;
/** What lasts longer is the new usual. */
const RUN_MAX_MS = HOUR_MS;

/** The run that a point begins, or `undefined` when it is not off. `usual` is what it was before the point. */
export function beginRun(point: GaugePoint, scored: GaugeScore, usual: UsualBand): GaugeRun | undefined {
  const { atMs, value, about, alertSurprise } = point;
  const { surprise, feature, expected } = scored;
  if (surprise < alertSurprise) return undefined;
  // A slow rise is never far from the last few points.
  const levels = feature === 'change' || feature === 'time_of_day' ? [expected] : [expected, usual.mean];
  const from = levels.find((level) => level !== null && matters(value, level, about));
  if (from === undefined || from === null) return undefined;
  const { mean, reach, rows, extreme } = usual;
  const sparse = point.isSparse ? { rows, extreme } : null;
  return { sinceMs: atMs, expected: from, mean, reach, sparse, points: 0, peak: 0 };
}

/** Whether a point goes on with a run: it is off by itself, or still where hardly a point was before. */
export function continuesRun(run: GaugeRun, point: GaugePoint, { surprise, expected }: GaugeScore): boolean {
  const { atMs, value, about, alertSurprise } = point;
  if (surprise >= alertSurprise && matters(value, expected ?? value, about)) return true;
  if (atMs - run.sinceMs > RUN_MAX_MS) return false;
  return Math.abs(value - run.mean) > run.reach && matters(value, run.mean, about);
}

/** Takes a point into its run. */
export function addToRun(run: GaugeRun, { value }: GaugePoint, { surprise }: GaugeScore): void {
  run.points += 1;
  run.peak = Math.max(run.peak, Math.min(surprise, peakMax(run, value)));
}

/**
 * Most evidence that one point can be, log10. One that is not zero among n zeros has odds of 1 in n, and more only as it is larger
 * than what was seen; where that is nothing, metrics that are mostly zero are counts.
 */
function peakMax({ sparse }: GaugeRun, value: number): number {
  if (sparse === null) return Infinity;
  const unit = sparse.extreme > 0 ? sparse.extreme : 1;
  return Math.log10(sparse.rows) + SPARSE_GAIN * Math.log10(Math.max(1, Math.abs(value) / unit));
}

/** Evidence that the stream is off, log10: of its worst point, and of each further one. */
export function runLog10E({ peak, points }: GaugeRun): number {
  return peak + POINT_LOG10E * Math.max(0, points - 1);
}

function matters(value: number, expected: number, { badWay }: MetricKind): boolean {
  if (Math.abs(value - expected) < RATIO_MIN * Math.abs(expected)) return false;
  return badWay === 'both' || (badWay === 'up' ? value > expected : value < expected);
}
