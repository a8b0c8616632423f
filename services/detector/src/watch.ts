import { MINUTE_MS } from '@flyball/core';
import { BETS, rateBets } from '@flyball/stats';
import type { DetectorConfig } from './config.ts';

/** Times the normal rate that are still no worse: busy services must not alarm on trivial shifts. */
const TOLERANCE = 1.5;

/** A share that was learned, and how high it may be by what it was learned from; 0 to 1. */
export interface LearnedRate {
  readonly rate: number;
  readonly bound: number;
}

/** Bets that more are bad than normal. What is not known well is given the benefit of the doubt. */
export function worseBets(bad: number, requests: number, { rate, bound }: LearnedRate): readonly number[] {
  return rateBets(bad, requests - bad, Math.min(0.5, Math.max(rate * TOLERANCE, bound)));
}

/** A watch of which no window came for so long begins anew. */
const FORGET_MS = 5 * MINUTE_MS;

/** Evidence below this, log10, speaks for nobody's trouble. */
export const CALM_LOG10_E = 1;

/** One bet that is restarted whenever it is lost: it knows since when it has been winning. */
interface Run {
  /** Natural logarithm of what the bet is worth; 0 when it starts over. */
  log: number;
  /** Start of the window in which it last left 0, ms. */
  sinceMs: number;
  windows: number;
  bad: number;
  requests: number;
}

/** A watch over one number of a service. Plain data: it is a part of the snapshot. */
export interface WatchState {
  runs: Run[];
  isFailing: boolean;
  /** Evidence of a deviation that matters is growing, and is not enough yet. */
  isSuspect: boolean;
  /** Onset of the present failure, ms. */
  sinceMs: number;
  healthyWindows: number;
  /** Windows of few requests that are looked at together, for the recovery. */
  pooledBad: number;
  pooledRequests: number;
  /** Start of the last window, ms; `null` before the first. */
  lastMs: number | null;
}

/** A watch that has seen nothing. */
export function newWatch(): WatchState {
  return {
    runs: Array.from({ length: BETS }, newRun),
    isFailing: false,
    isSuspect: false,
    sinceMs: 0,
    healthyWindows: 0,
    pooledBad: 0,
    pooledRequests: 0,
    lastMs: null,
  };
}

const newRun = (): Run => ({ log: 0, sinceMs: 0, windows: 0, bad: 0, requests: 0 });

/** One more window of what is watched. */
export interface Reading {
  readonly startMs: number;
  readonly bad: number;
  readonly requests: number;
  /** Natural logarithms by which each bet on trouble grows. */
  readonly bets: readonly number[];
  /** Whether the deviation is large enough to matter, given bad ones and requests since the onset. */
  readonly matters: (bad: number, requests: number) => boolean;
}

/** What the watch makes of it. */
export interface Watched {
  readonly log10E: number;
  readonly bad: number;
  readonly requests: number;
}

/**
 * Page's test over several alternatives: each bet starts over when it is lost, so that a change after long health
 * is seen within a few windows, and its start estimates the onset. Fails when the best bet has won enough over two
 * windows and what it found matters; recovers after so many healthy windows in a row.
 *
 * Source: E. S. Page, "Continuous inspection schemes" (1954); as an e-detector, J. Shin, A. Ramdas, A. Rinaldo,
 * "E-detectors" (2024).
 */
export function watch(state: WatchState, reading: Reading, config: DetectorConfig): Watched {
  const { bad, requests, bets, startMs } = reading;
  // What was so long ago says nothing of now: neither that it still fails, nor that it was about to.
  if (startMs - (state.lastMs ?? startMs) > FORGET_MS) Object.assign(state, newWatch());
  state.lastMs = startMs;
  state.runs.forEach((run, index) => {
    if (run.log === 0) Object.assign(run, newRun(), { sinceMs: startMs });
    run.log = Math.max(0, run.log + bets[index]!);
    run.windows += 1;
    run.bad += bad;
    run.requests += requests;
  });
  const best = state.runs.reduce((a, b) => (b.log > a.log ? b : a));
  const log10E = best.log / Math.LN10;
  const matters = reading.matters(best.bad, best.requests);
  const isAlarm = log10E >= config.alarmLog10E && best.windows >= 2 && matters;
  state.isSuspect = log10E >= CALM_LOG10_E && matters;
  if (isAlarm && !state.isFailing) {
    state.isFailing = true;
    state.sinceMs = best.sinceMs;
    state.healthyWindows = 0;
  }
  if (state.isFailing) recover(state, reading, config);
  return { log10E, bad: best.bad, requests: best.requests };
}

function recover(state: WatchState, { bad, requests, matters }: Reading, config: DetectorConfig): void {
  // Where few come they are pooled, or a service with little traffic would fail for ever. Up to line 3 nothing was.
  state.pooledBad = (state.pooledBad ?? 0) + bad;
  state.pooledRequests = (state.pooledRequests ?? 0) + requests;
  if (state.pooledRequests < config.minRequests) return;
  state.healthyWindows = matters(state.pooledBad, state.pooledRequests) ? 0 : state.healthyWindows + 1;
  state.pooledBad = 0;
  state.pooledRequests = 0;
  if (state.healthyWindows >= config.recoverWindows) Object.assign(state, newWatch(), { lastMs: state.lastMs });
}
