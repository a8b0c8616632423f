import { HOUR_MS, SECOND_MS } from '@flyball/core';

/** What is usual at a time of day, on weekdays and on weekends. Plain data: it is a part of a snapshot. */
export interface DayProfileState {
  /** Slots of a day; those of weekdays come first, then those of weekends. */
  slots: number;
  /** How many values a slot has seen; 0: its mean says nothing. */
  counts: number[];
  means: number[];
}

/** What a profile says of an instant: its own slot, and the range of that and its neighbours. */
export interface UsualRange {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** How many values the mean rests on; 0 when it is that of the other kind of day. */
  readonly count: number;
}

const DAY_MS = 24 * HOUR_MS;
/** Slots of half an hour: two values of a busy day fit the state of thousands of series. */
const SLOTS_MAX = 48;
/** What is sampled more rarely has no day. */
const INTERVAL_MAX_MS = 12 * HOUR_MS;
/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 4;

/** An empty profile for values that come every `intervalMs`. Without slots where that is too rare for a day. */
export function newDayProfile(intervalMs: number): DayProfileState {
  const slots =
    intervalMs > INTERVAL_MAX_MS
      ? 0
      : Math.max(1, Math.min(SLOTS_MAX, Math.round(DAY_MS / Math.max(intervalMs, SECOND_MS))));
  return { slots, counts: new Array<number>(2 * slots).fill(0), means: new Array<number>(2 * slots).fill(0) };
}

/** The slot of an instant, ms since the epoch, UTC. */
function slotOf({ slots }: DayProfileState, atMs: number): { readonly base: number; readonly slot: number } {
  const day = Math.floor(atMs / DAY_MS);
  const weekday = (((day + EPOCH_WEEKDAY) % 7) + 7) % 7;
  const base = weekday === 0 || weekday === 6 ? slots : 0;
  return { base, slot: Math.min(slots - 1, Math.floor(((atMs - day * DAY_MS) / DAY_MS) * slots)) };
}

/** What is usual at an instant, or `undefined` where nothing was ever seen. A new kind of day borrows from the other. */
export function usualAt(state: DayProfileState, atMs: number): UsualRange | undefined {
  const { slots, counts } = state;
  if (slots === 0) return undefined;
  const { base, slot } = slotOf(state, atMs);
  const mean = meanOf(state, base, slot);
  if (mean === undefined) return undefined;
  let [low, high] = [mean, mean];
  // A job that starts a few minutes early or late is no surprise.
  for (const near of [slot === 0 ? slots - 1 : slot - 1, slot === slots - 1 ? 0 : slot + 1]) {
    const other = meanOf(state, base, near);
    if (other === undefined) continue;
    if (other < low) low = other;
    if (other > high) high = other;
  }
  return { mean, low, high, count: counts[base + slot]! };
}

/** Learns a value at an instant. */
export function learnUsual(state: DayProfileState, atMs: number, value: number, dayRatio: number): void {
  if (state.slots === 0) return;
  const { base, slot } = slotOf(state, atMs);
  const index = base + slot;
  const count = state.counts[index]! + 1;
  state.counts[index] = count;
  state.means[index]! += Math.max(dayRatio, 1 / count) * (value - state.means[index]!);
}

function meanOf({ slots, counts, means }: DayProfileState, base: number, slot: number): number | undefined {
  if (counts[base + slot]! > 0) return means[base + slot]!;
  const other = (base === 0 ? slots : 0) + slot;
  return counts[other]! > 0 ? means[other]! : undefined;
}
