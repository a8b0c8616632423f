import type { Objective, Standing, Window } from '@flyball/contracts';
import { type BurnState, burnOver } from './burn-rate.ts';
import type { PromisesState } from './promises.ts';
import { badOf, serviceSample } from './sample.ts';
import { addToSlots, type Slot, sumSince } from './slots.ts';
import { HOUR_MS, MINUTE_MS } from '@flyball/core';

/** A budget's window is counted in so many slots, and may begin up to one earlier. */
const SLOTS = 30;
/** Burn rates that are shown: what goes on, and whether it matters. */
const SHOWN_MS = [5 * MINUTE_MS, HOUR_MS];

/** What was counted of one objective since it holds. Plain data: it is a part of the snapshot. */
export interface Ledger {
  readonly windowMs: number;
  readonly thresholdMs: number | null;
  readonly sinceMs: number;
  readonly slots: Slot[];
}

/** Counts a window in the ledger of each objective that holds, and says how the service stands. */
export function standingsOf(
  { ledgers }: PromisesState,
  burn: BurnState,
  window: Window,
  objectives: readonly Objective[],
): Standing[] {
  return objectives.map((objective) => {
    const { sli, windowMs, thresholdMs, objectiveRatio } = objective;
    let ledger = ledgers[sli];
    // Counts over another window, or against another threshold, say nothing of this one.
    if (ledger?.windowMs !== windowMs || ledger.thresholdMs !== thresholdMs) {
      ledger = ledgers[sli] = { windowMs, thresholdMs, sinceMs: window.startMs, slots: [] };
    }
    const slotMs = Math.ceil(windowMs / SLOTS);
    const sample = serviceSample(window);
    const counts = { requests: sample.requests, bad: badOf(sample, objective) };
    addToSlots(ledger.slots, window, { slotMs, keepMs: windowMs, ...counts });
    const sum = sumSince(ledger.slots, slotMs, window.endMs - windowMs);
    const budget = sum.requests * (1 - objectiveRatio);
    return {
      objective,
      sinceMs: Math.max(ledger.sinceMs, window.endMs - windowMs),
      ...sum,
      budgetLeftRatio: sum.requests === 0 ? 1 : 1 - sum.bad / budget,
      burns: SHOWN_MS.map((overMs) => ({ overMs, ...burnOver(burn, objective, window.endMs - overMs) })),
    };
  });
}
