import type { Calm, Objective, Signal, Window } from '@flyball/contracts';
import { HOUR_MS, MINUTE_MS } from '@flyball/core';
import type { DetectorConfig } from './config.ts';
import type { Promises } from './promises.ts';
import { badOf, serviceSample } from './sample.ts';
import { onCalm, onFinding, type SeriesEpisodesState } from './series-episodes.ts';
import { addToSlots, type Slot, sumSince } from './slots.ts';

const SLOT_MS = 5 * MINUTE_MS;
/** Window of a budget of which nothing else is said. */
const WINDOW_MS = 30 * 24 * HOUR_MS;
/** As long as the longest rule looks back. */
const KEEP_MS = 6 * HOUR_MS;

/** Requests and bad ones by slots of five minutes, newest last; at most six hours. Plain data: it is a part of the snapshot. */
export interface BurnState {
  /** Bad are those that failed. */
  slots: Slot[];
  /** Bad are those that took longer than was promised. Missing while nothing is promised. */
  slow?: { readonly thresholdMs: number; readonly slots: Slot[] };
}

/** Budget of a service of which nothing is known. */
export function newBurn(): BurnState {
  return { slots: [] };
}

/**
 * Two windows that must both burn: the long one says that it matters, the short one that it goes on. What matters is the share
 * of the budget that is gone within the long one; of a budget of 30 d it is gone at 14.4 and 6 times the rate that it allows.
 *
 * Source: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
 */
const RULES = [
  { name: 'fast', longMs: HOUR_MS, shortMs: 5 * MINUTE_MS, budgetShare: 0.02 },
  { name: 'slow', longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS, budgetShare: 0.05 },
] as const;
/** What burns no faster than this is never used up, however short its window. */
const RATE_MIN = 1;
/** With fewer bad requests in the short window nothing is said. */
const BAD_MIN = 10;
/** What a rule is worth as evidence, log10: it is a floor, not a test. */
const RULE_LOG10_E = 4;

/** Counts a window. Slow requests only where something is promised: what is slow for one service is fast for another. */
export function countBurn(state: BurnState, window: Window, { latency }: Promises): void {
  const sample = serviceSample(window);
  const { requests, errors } = sample;
  addToSlots(state.slots, window, { slotMs: SLOT_MS, keepMs: KEEP_MS, requests, bad: errors });
  const thresholdMs = latency?.thresholdMs ?? null;
  if (latency === undefined || thresholdMs === null) return;
  // Counts against another threshold say nothing of this one.
  if (state.slow?.thresholdMs !== thresholdMs) state.slow = { thresholdMs, slots: [] };
  addToSlots(state.slow.slots, window, { slotMs: SLOT_MS, keepMs: KEEP_MS, requests, bad: badOf(sample, latency) });
}

/** What was counted for an objective since then, and how fast its budget burns by that. */
export function burnOver(
  state: BurnState,
  { sli, objectiveRatio }: Pick<Objective, 'sli' | 'objectiveRatio'>,
  sinceMs: number,
): { readonly rate: number; readonly requests: number; readonly bad: number } {
  const slots = sli === 'errors' ? state.slots : (state.slow?.slots ?? []);
  const sum = sumSince(slots, SLOT_MS, sinceMs);
  return { ...sum, rate: sum.requests === 0 ? 0 : sum.bad / sum.requests / (1 - objectiveRatio) };
}

/** Judges the error budgets of a service by what was counted: the hard floor under all that is learned. */
export function judgeBurn(
  state: BurnState,
  episodes: SeriesEpisodesState,
  window: Window,
  { promises, config }: { readonly promises: Promises; readonly config: DetectorConfig },
): (Signal | Calm)[] {
  if (window.coverage < 1) return [];
  const { errorTraceId, slowestTraceId } = serviceSample(window);
  const sight = { subject: window.subject, endMs: window.endMs, config };
  const failed = { sli: 'errors', objectiveRatio: config.sloObjective, windowMs: WINDOW_MS } as const;
  const said = judgeBudget(state, episodes, sight, {
    about: { kind: 'availability', traceId: errorTraceId, ...recorded(promises.errors) },
    ...{ name: 'burn', objective: promises.errors ?? failed },
  });
  if (promises.latency === undefined) return said;
  const slow = judgeBudget(state, episodes, sight, {
    about: { kind: 'latency', traceId: slowestTraceId, ...recorded(promises.latency) },
    ...{ name: 'burn latency', objective: promises.latency },
  });
  return [...said, ...slow];
}

/** A signal names the objective that somebody has set. */
function recorded(objective: Objective | undefined): { readonly objective?: Objective } {
  return objective === undefined ? {} : { objective };
}

/** One budget, and what a signal says of it whichever rule it breaks. */
interface Budget {
  readonly name: string;
  readonly objective: Pick<Objective, 'sli' | 'objectiveRatio' | 'windowMs'>;
  readonly about: Pick<Signal, 'kind' | 'traceId' | 'objective'>;
}

function judgeBudget(
  state: BurnState,
  episodes: SeriesEpisodesState,
  sight: Parameters<typeof onFinding>[2],
  { name: budget, objective, about }: Budget,
): (Signal | Calm)[] {
  const { endMs } = sight;
  return RULES.flatMap(({ name, longMs, shortMs, budgetShare }): (Signal | Calm)[] => {
    const limit = Math.max(RATE_MIN, (budgetShare * objective.windowMs) / longMs);
    const [long, short] = [burnOver(state, objective, endMs - longMs), burnOver(state, objective, endMs - shortMs)];
    const series = `${budget} ${name}`;
    const least = Math.min(long.rate, short.rate);
    if (short.bad < BAD_MIN || least < limit) return onCalm(episodes, series, sight);
    const { kind, traceId, ...by } = about;
    const numbers = { observed: long.rate, expected: limit, log10E: RULE_LOG10_E * (least / limit) };
    const counts = { bad: short.bad, requests: short.requests };
    return onFinding(
      episodes,
      {
        ...{ kind, series, instance: '', unit: '1', sinceMs: endMs - shortMs, ...numbers, ...counts },
        ...{ alarmLog10E: RULE_LOG10_E, traceId, detector: 'burn@1', ...by },
      },
      sight,
    );
  });
}
