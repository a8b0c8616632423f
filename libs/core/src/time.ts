/** Milliseconds in a second. */
export const SECOND_MS = 1_000;
/** Milliseconds in a minute. */
export const MINUTE_MS = 60 * SECOND_MS;
/** Milliseconds in an hour. */
export const HOUR_MS = 60 * MINUTE_MS;

/**
 * Start of the slot `[start, start + sizeMs)` that holds an instant. Slots are aligned to the Unix
 * epoch, so that every process cuts time at the same places.
 *
 * @param atMs - ms since the Unix epoch; may be negative.
 * @param sizeMs - a positive whole number of ms.
 */
export function slotStartMs(atMs: number, sizeMs: number): number {
  return Math.floor(atMs / sizeMs) * sizeMs;
}

/** An instant as RFC 3339 in UTC with milliseconds: `2026-11-24T12:00:00.000Z`. */
export function rfc3339(atMs: number): string {
  return new Date(atMs).toISOString();
}
