import type { Window } from '@flyball/contracts';

/** Requests and bad ones of a stretch of time. Plain data: it is a part of the snapshot. */
export type Slot = [startMs: number, requests: number, bad: number];

/** Adds a window to its slot, and forgets slots that lie wholly `keepMs` before its end. */
export function addToSlots(
  slots: Slot[],
  { startMs, endMs }: Pick<Window, 'startMs' | 'endMs'>,
  { slotMs, keepMs, requests, bad }: { slotMs: number; keepMs: number; requests: number; bad: number },
): void {
  const slotStartMs = startMs - (startMs % slotMs);
  const last = slots.at(-1);
  if (last?.[0] === slotStartMs) {
    last[1] += requests;
    last[2] += bad;
  } else slots.push([slotStartMs, requests, bad]);
  slots.splice(
    0,
    slots.findIndex(([atMs]) => atMs > endMs - keepMs - slotMs),
  );
}

/** Sum of all slots that reach beyond `sinceMs`: it may begin up to a slot earlier. */
export function sumSince(
  slots: readonly Slot[],
  slotMs: number,
  sinceMs: number,
): { readonly requests: number; readonly bad: number } {
  let [requests, bad] = [0, 0];
  for (const [startMs, some, wrong] of slots) {
    if (startMs + slotMs <= sinceMs) continue;
    requests += some;
    bad += wrong;
  }
  return { requests, bad };
}
