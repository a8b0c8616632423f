/** How a gauge is judged. Nothing here has the unit of a gauge: one set serves every series. */
export interface GaugeConfig {
  /** Rows that are learned from before anything is called surprising. */
  readonly warmupRows: number;
  /** Weight of a new row in means and scales, 0 to 1; the first rows weigh as in a plain mean. */
  readonly learnRatio: number;
  /** Deviations count in learning up to so many scales, so that one incident does not become the normal. */
  readonly clipScales: number;
  /** Smallest scale, as a ratio of the mean magnitude: what moves by less is of no interest to anybody. */
  readonly floorRatio: number;
  /** Share of rows that are the tail, 0 to 1. */
  readonly tailRatio: number;
  /** Step of the tail's start when it is learned, as a ratio of itself. */
  readonly tailStep: number;
  /** Weight of a new peak in the mean excess over the tail's start, 0 to 1. */
  readonly peakRatio: number;
  /** A peak counts in learning up to so many mean excesses. */
  readonly peakClip: number;
  /** Weight of a new day in the profile of a day, 0 to 1. */
  readonly dayRatio: number;
  /** Surprise for each decade by which a new extreme leaves the range known so far. */
  readonly rangeGain: number;
  /** By how much the known range shrinks towards the mean with each row, 0 to 1. */
  readonly rangeForget: number;
  /** Weight of the second largest surprise against the largest, 0 to 1. */
  readonly secondWeight: number;
  /** A surprise is told when it is larger by this factor than all that were within the hold. */
  readonly recordFactor: number;
  /** Longest hold in rows. */
  readonly holdRowsMax: number;
  /** Longest hold in time, ms. */
  readonly holdMs: number;
  /** Surprise, as -log10 of a probability, whose score is 0.5: the threshold of an alert. */
  readonly alertSurprise: number;
}

/** Chosen by reasoning and on the development split that docs/guide.md names, which also says what other choices cost. */
export const GAUGE_DEFAULTS: GaugeConfig = {
  warmupRows: 40,
  learnRatio: 0.002,
  clipScales: 8,
  floorRatio: 0.02,
  tailRatio: 0.02,
  tailStep: 0.02,
  peakRatio: 0.02,
  peakClip: 4,
  dayRatio: 0.15,
  rangeGain: 3,
  rangeForget: 1e-5,
  secondWeight: 0.25,
  recordFactor: 1.1,
  holdRowsMax: 100,
  holdMs: 43_200_000,
  alertSurprise: 3.6,
};

/** Scores from this on are alerts, where nobody sets another threshold. */
export const GAUGE_ALERT_SCORE = 0.5;
