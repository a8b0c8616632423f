import type { Calm, Signal, Window } from '@flyball/contracts';
import { HOUR_MS, MINUTE_MS } from '@flyball/core';
import type { DetectorConfig } from './config.ts';
import { serviceSample } from './sample.ts';
import { onCalm, onFinding, type SeriesEpisodesState } from './series-episodes.ts';

const SLOT_MS = 5 * MINUTE_MS;

/** Requests and errors by slots of five minutes, newest last; at most six hours. Plain data: it is a part of the snapshot. */
export interface BurnState {
  slots: [startMs: number, requests: number, errors: number][];
}

/** Budget of a service of which nothing is known. */
export function newBurn(): BurnState {
  return { slots: [] };
}

/**
 * Two windows that must both burn: the long one says that it matters, the short one that it goes on.
 *
 * Source: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
 */
const RULES = [
  { name: 'fast', longMs: HOUR_MS, shortMs: 5 * MINUTE_MS, burn: 14.4 },
  { name: 'slow', longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS, burn: 6 },
] as const;
/** With fewer failed requests in the short window nothing is said. */
const ERRORS_MIN = 10;
/** What a rule is worth as evidence, log10: it is a floor, not a test. */
const RULE_LOG10_E = 4;

/** Follows the error budget of a service: the hard floor under all that is learned. */
export function judgeBurn(
  state: BurnState,
  episodes: SeriesEpisodesState,
  window: Window,
  config: DetectorConfig,
): (Signal | Calm)[] {
  const { requests, errors, errorTraceId: traceId } = serviceSample(window);
  const startMs = window.startMs - (window.startMs % SLOT_MS);
  const last = state.slots.at(-1);
  if (last?.[0] === startMs) {
    last[1] += requests;
    last[2] += errors;
  } else state.slots.push([startMs, requests, errors]);
  state.slots = state.slots.filter(([slotMs]) => slotMs > window.endMs - 6 * HOUR_MS - SLOT_MS);
  if (window.coverage < 1) return [];
  const budget = 1 - config.sloObjective;
  const sight = { subject: window.subject, endMs: window.endMs, config };
  return RULES.flatMap(({ name, longMs, shortMs, burn }): (Signal | Calm)[] => {
    const [long, short] = [sumSince(state, window.endMs - longMs), sumSince(state, window.endMs - shortMs)];
    const burns = [long, short].map((sum) => (sum.requests === 0 ? 0 : sum.errors / sum.requests / budget));
    const series = `burn ${name}`;
    const isBurning = short.errors >= ERRORS_MIN && Math.min(...burns) >= burn;
    if (!isBurning) return onCalm(episodes, series, sight);
    const about = { kind: 'availability' as const, series, instance: '', unit: '1', sinceMs: window.endMs - shortMs };
    const numbers = { observed: burns[0]!, expected: burn, log10E: RULE_LOG10_E * (Math.min(...burns) / burn) };
    const counts = { bad: short.errors, requests: short.requests };
    return onFinding(
      episodes,
      { ...about, ...numbers, ...counts, alarmLog10E: RULE_LOG10_E, traceId, detector: 'burn@1' },
      sight,
    );
  });
}

function sumSince({ slots }: BurnState, sinceMs: number): { readonly requests: number; readonly errors: number } {
  let [requests, errors] = [0, 0];
  for (const [startMs, some, bad] of slots) {
    if (startMs + SLOT_MS <= sinceMs) continue;
    requests += some;
    errors += bad;
  }
  return { requests, errors };
}
