import { withoutItems } from '@flyball/otlp';
import type { Scanned, SignalForm } from './signals.ts';

/** Why an item can never count. */
export type Flaw = 'traceId' | 'spanId' | 'value' | 'buckets' | 'timeless' | 'early';

const WORDS: Readonly<Record<Flaw, string>> = {
  traceId: 'with an invalid trace id (16 bytes, not all zero)',
  spanId: 'with an invalid span id (8 bytes, not all zero)',
  value: 'without a value that is a number',
  buckets: 'whose buckets are not one more than their bounds',
  timeless: 'without a time',
  early: 'early: too far in the future',
};

/** What remains of a request, and what is to be said to its sender. */
export interface Screened {
  /** What is stored: the request as it came, or without its rejected items. */
  readonly bytes: Uint8Array;
  readonly items: number;
  readonly rejected: number;
  /** Rejected items by what is wrong with them. */
  readonly flaws: Readonly<Partial<Record<Flaw, number>>>;
  /** Why items were rejected, or a warning; '' when there is nothing to say. */
  readonly message: string;
}

/**
 * Sorts out the items of a scanned request that can never count: ids that identify nothing, no time, and times too far
 * ahead of the log's. A request without any passes as it is, byte for byte.
 *
 * @param earlyAfterMs - instant after which a time is too early to be true, ms since the Unix epoch.
 */
export function screen(
  bytes: Uint8Array,
  { items, isUnnamed, latestMs, flawOf }: Scanned,
  { signal, items: name }: SignalForm,
  earlyAfterMs: number,
): Screened {
  const counts = { traceId: 0, spanId: 0, value: 0, buckets: 0, timeless: 0, early: 0 };
  const rejected = new Set<number>();
  for (let item = 0; item < items; item += 1) {
    const flaw = flawOf(item, earlyAfterMs);
    if (flaw === undefined) continue;
    counts[flaw] += 1;
    rejected.add(item);
  }
  const called = name.replace('_', ' ');
  if (rejected.size === 0) {
    const warns = isUnnamed && items > 0;
    const message = warns ? `a resource has no service.name: its ${called} count as unknown_service` : '';
    return { bytes, items, rejected: 0, flaws: {}, message };
  }
  const reasons = (Object.keys(counts) as Flaw[])
    .filter((flaw) => counts[flaw] > 0)
    .map((flaw) => {
      const more = flaw === 'early' ? ` (up to ${Math.ceil(latestMs - earlyAfterMs)} ms beyond the limit)` : '';
      return `${counts[flaw]} ${WORDS[flaw]}${more}`;
    });
  const kept = withoutItems(bytes, signal, (item) => rejected.has(item));
  return {
    bytes: kept,
    items,
    rejected: rejected.size,
    flaws: counts,
    message: `rejected ${called}: ${reasons.join('; ')}`,
  };
}
