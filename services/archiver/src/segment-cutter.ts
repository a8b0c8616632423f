import { slotStartMs } from '@flyball/core';
import type { StoredRecord } from '@flyball/runtime';

/** What a record weighs beside its value and key: headers, offset, time. */
const RECORD_BYTES = 128;

/** Where segments are cut. */
export interface CutSizes {
  readonly segmentMs: number;
  readonly segmentBytes: number;
}

/** A segment that is being filled: records `[firstOffset, nextOffset)`. */
export interface OpenSegment {
  readonly firstOffset: number;
  readonly nextOffset: number;
  readonly slotMs: number;
  readonly bytes: number;
}

/**
 * Says where a partition is cut into segments. Only what the log holds decides, so every archiver that starts at the same offset
 * cuts at the same places.
 */
export class SegmentCutter {
  readonly #sizes: CutSizes;
  #open: OpenSegment | undefined;

  constructor(sizes: CutSizes) {
    this.#sizes = sizes;
  }

  /** The segment that is being filled, if it holds anything. */
  get open(): OpenSegment | undefined {
    return this.#open;
  }

  /** Instant from which on no record belongs to the open segment any more, ms. */
  get slotEndMs(): number {
    return (this.#open?.slotMs ?? 0) + this.#sizes.segmentMs;
  }

  /** Whether the open segment ends before a record: a slot of log time ends, it would be too large, or the log has a hole. */
  isCutBefore(record: StoredRecord): boolean {
    if (this.#open === undefined) return false;
    if (record.offset !== this.#open.nextOffset) return true;
    // Log time may step back when another broker leads: such a record stays with those before it.
    return record.appendedAtMs >= this.slotEndMs || this.#open.bytes + weigh(record) > this.#sizes.segmentBytes;
  }

  /** Adds the next record. */
  add(record: StoredRecord): void {
    const before = this.#open ?? {
      firstOffset: record.offset,
      slotMs: slotStartMs(record.appendedAtMs, this.#sizes.segmentMs),
      bytes: 0,
    };
    this.#open = { ...before, nextOffset: record.offset + 1, bytes: before.bytes + weigh(record) };
  }

  /** Lets go of the open segment: it is archived. */
  close(): void {
    this.#open = undefined;
  }
}

/** About how many bytes a record is. */
export function weigh({ value, key }: StoredRecord): number {
  return value.length + key.length + RECORD_BYTES;
}
