import type { StoredRecord } from '@flyball/runtime';

/** What a record costs beyond its value, with its headers, its texts and a buffer of its own; as heap snapshots show. */
const RECORD_BYTES = 600;

/** Dropped places are let go of in bulk: an array shift for each is too slow. */
const COMPACT_AT = 1_024;

/** The newest records of one partition: `records[head]` is the record at `firstOffset`. */
interface Recent {
  firstOffset: number;
  head: number;
  /** Dropped places hold nothing, so that their bytes can go at once. */
  records: (StoredRecord | undefined)[];
}

/**
 * The newest records of all partitions, in memory, so that readers at the end of the log cost no trip to the
 * worker. Bounded in bytes: the oldest appended go first.
 */
export class Tail {
  readonly #maxBytes: number;
  readonly #partitions = new Map<string, Recent>();
  /** Places in the order of their appends; a place that was trimmed meanwhile only goes a little early. */
  #order: Recent[] = [];
  #head = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds records that became durable, in the order of the log. */
  add(place: string, records: readonly StoredRecord[]): void {
    let recent = this.#partitions.get(place);
    if (recent === undefined) {
      recent = { firstOffset: records[0]?.offset ?? 0, head: 0, records: [] };
      this.#partitions.set(place, recent);
    }
    for (const record of records) {
      recent.records.push(record);
      this.#order.push(recent);
      this.#bytes += record.value.length + RECORD_BYTES;
    }
    while (this.#bytes > this.#maxBytes && this.#head < this.#order.length) {
      this.#drop(this.#order[this.#head]!);
      this.#head += 1;
    }
    if (this.#head < COMPACT_AT || this.#head < this.#order.length / 2) return;
    this.#order = this.#order.slice(this.#head);
    this.#head = 0;
  }

  /** Records from an offset on, or `undefined` where the tail does not reach back so far. */
  read(place: string, fromOffset: number, maxBytes: number): readonly StoredRecord[] | undefined {
    const recent = this.#partitions.get(place);
    if (recent === undefined || fromOffset < recent.firstOffset) return undefined;
    const first = recent.head + fromOffset - recent.firstOffset;
    let end = first;
    for (let size = 0; end < recent.records.length; end += 1) {
      size += recent.records[end]!.value.length;
      if (size > maxBytes && end > first) break;
    }
    return recent.records.slice(first, end) as StoredRecord[];
  }

  /** Forgets records below an offset. */
  trim(place: string, beforeOffset: number): void {
    const recent = this.#partitions.get(place);
    while (recent !== undefined && recent.firstOffset < beforeOffset && this.#drop(recent));
  }

  /** Drops the oldest record of a partition. Returns false where there is none. */
  #drop(recent: Recent): boolean {
    const record = recent.records[recent.head];
    if (record === undefined) return false;
    this.#bytes -= record.value.length + RECORD_BYTES;
    recent.records[recent.head] = undefined;
    recent.firstOffset += 1;
    recent.head += 1;
    if (recent.head >= COMPACT_AT && recent.head >= recent.records.length / 2) {
      recent.records = recent.records.slice(recent.head);
      recent.head = 0;
    }
    return true;
  }
}
