import { BETS, DurationSketch, healthBet, log10Mean, shareBets, type SketchData } from '@flyball/stats';
import type { DetectorConfig } from './config.ts';
import { worseBets } from './watch.ts';

/** A rate that is so many times, or so much, above the control's is worse by a margin that matters. */
const WORSE_MULTIPLE = 3;
const WORSE_INCREASE = 0.02;
const RATE_MAX = 0.95;

/** The trial of one version on one SLI. Plain data: it is a part of the snapshot. */
export interface TrialState {
  /** Natural logarithms of bets on "worse", since the version came. */
  logs: number[];
  /** Natural logarithm of the bet on "healthy". */
  healthLog: number;
  bad: number;
  requests: number;
  controlBad: number;
  controlRequests: number;
  /** Durations since it came, of the version and of its control in the same windows. */
  sketch: SketchData;
  controlSketch: SketchData;
  isFailing: boolean;
  healthyWindows: number;
}

const EMPTY = { zeroCount: 0, offset: 0, counts: [] };

/** A trial that has heard nothing. */
export function newTrial(): TrialState {
  const counts = { bad: 0, requests: 0, controlBad: 0, controlRequests: 0 };
  const logs = new Array<number>(BETS).fill(0);
  return { logs, healthLog: 0, ...counts, sketch: EMPTY, controlSketch: EMPTY, isFailing: false, healthyWindows: 0 };
}

/** One more window of a version and its control. */
export interface TrialReading {
  readonly bad: number;
  readonly requests: number;
  readonly sketch: SketchData;
  /** The control's requests in the same window; none: the learned normal is the control. */
  readonly control: { readonly bad: number; readonly requests: number; readonly sketch: SketchData };
  /** Learned share of bad ones, and how high it may be, 0 to 1. */
  readonly rate: number;
  readonly bound: number;
  readonly matters: (trial: TrialState) => boolean;
  /** Whether this window alone deviates by what matters. */
  readonly isBadWindow: boolean;
}

/** Takes in a window. Returns the evidence so far, log10 of an e-value. */
export function hear(state: TrialState, reading: TrialReading, config: DetectorConfig): number {
  const { bad, requests, control, rate } = reading;
  const streams = { bad, total: requests, controlBad: control.bad, controlTotal: control.requests };
  const bets = control.requests > 0 ? shareBets(streams) : worseBets(bad, requests, reading);
  state.logs = state.logs.map((log, index) => log + bets[index]!);
  state.bad += bad;
  state.requests += requests;
  state.controlBad += control.bad;
  state.controlRequests += control.requests;
  state.sketch = merged(state.sketch, reading.sketch);
  state.controlSketch = merged(state.controlSketch, control.sketch);
  // At a rate of 1 there is nothing worse, and no bet.
  const expected = Math.min(RATE_MAX, Math.max(rate, controlRate(state, rate)));
  const worseRate = Math.min(RATE_MAX, Math.max(expected * WORSE_MULTIPLE, expected + WORSE_INCREASE));
  state.healthLog = Math.max(0, state.healthLog + healthBet(bad, requests - bad, { rate: expected, worseRate }));
  const log10E = log10Mean(state.logs);
  if (log10E >= config.canaryLog10E && reading.matters(state)) state.isFailing = true;
  if (state.isFailing) recover(state, reading, config);
  return log10E;
}

/** Share of bad ones of the control so far, or the learned one where it served nothing. */
export function controlRate({ controlBad, controlRequests }: TrialState, rate: number): number {
  return controlRequests === 0 ? rate : controlBad / controlRequests;
}

/** p95 of a sketch in ms, or `null` where it is empty. */
export function p95Ms(sketch: SketchData): number | null {
  const durations = DurationSketch.from(sketch);
  return durations.count === 0 ? null : durations.quantile(0.95) / 1_000;
}

/** A failure ends when the version behaves for a while: the trial starts over. */
function recover(state: TrialState, { requests, isBadWindow }: TrialReading, config: DetectorConfig): void {
  state.healthyWindows = requests >= config.minRequests && !isBadWindow ? state.healthyWindows + 1 : 0;
  if (state.healthyWindows >= config.recoverWindows * 2) Object.assign(state, newTrial());
}

function merged(a: SketchData, b: SketchData): SketchData {
  const sketch = DurationSketch.from(a);
  sketch.merge(b);
  return sketch.toData();
}
