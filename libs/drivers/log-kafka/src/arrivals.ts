import type { Partition, StoredRecord } from '@flyball/runtime';

/** Most places of which something is kept; a reader that never comes back must not keep memory for ever. */
const PLACES_MAX = 512;
/** Most bytes of values that are kept, but for the newest place: what was fetched is kept alive with them. */
const BYTES_MAX = 64 * 1024 * 1024;

interface Kept {
  readonly records: readonly StoredRecord[];
  readonly bytes: number;
}

/** Records that came before they were asked for, by the place at which their reader stands. */
export class Arrivals {
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  /** Keeps records for whoever reads from the first of them on. */
  keep(at: Partition, records: readonly StoredRecord[]): void {
    if (records.length === 0) return;
    const place = placeOf(at, records[0]!.offset);
    const bytes = records.reduce((sum, { value }) => sum + value.length, 0);
    this.#drop(place);
    this.#kept.set(place, { records, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      const isWithin = this.#kept.size <= PLACES_MAX && this.#bytes <= BYTES_MAX;
      if (isWithin || oldest === place) return;
      this.#drop(oldest);
    }
  }

  has(at: Partition, offset: number): boolean {
    return this.#kept.has(placeOf(at, offset));
  }

  /** Takes out what is kept for a reader at an offset, or `undefined`. */
  take(at: Partition, offset: number): readonly StoredRecord[] | undefined {
    return this.#drop(placeOf(at, offset));
  }

  /** Forgets all of a partition: its records were trimmed. */
  forget({ topic, partition }: Partition): void {
    for (const place of this.#kept.keys()) if (place.startsWith(`${topic}/${partition}@`)) this.#drop(place);
  }

  #drop(place: string): readonly StoredRecord[] | undefined {
    const kept = this.#kept.get(place);
    if (kept === undefined) return undefined;
    this.#kept.delete(place);
    this.#bytes -= kept.bytes;
    return kept.records;
  }
}

function placeOf({ topic, partition }: Partition, offset: number): string {
  return `${topic}/${partition}@${offset}`;
}
