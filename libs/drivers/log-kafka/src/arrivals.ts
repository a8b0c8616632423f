import type { Partition, StoredRecord } from '@flyball/runtime';

/** Most places of which something is kept; a reader that never comes back must not keep memory for ever. */
const PLACES_MAX = 512;

/** Records that came before they were asked for, by the place at which their reader stands. */
export class Arrivals {
  readonly #records = new Map<string, readonly StoredRecord[]>();

  /** Keeps records for whoever reads from the first of them on. */
  keep(at: Partition, records: readonly StoredRecord[]): void {
    if (records.length === 0) return;
    this.#records.set(placeOf(at, records[0]!.offset), records);
    if (this.#records.size > PLACES_MAX) this.#records.delete(this.#records.keys().next().value!);
  }

  has(at: Partition, offset: number): boolean {
    return this.#records.has(placeOf(at, offset));
  }

  /** Takes out what is kept for a reader at an offset, or `undefined`. */
  take(at: Partition, offset: number): readonly StoredRecord[] | undefined {
    const place = placeOf(at, offset);
    const records = this.#records.get(place);
    this.#records.delete(place);
    return records;
  }

  /** Forgets all of a partition: its records were trimmed. */
  forget({ topic, partition }: Partition): void {
    for (const place of this.#records.keys())
      if (place.startsWith(`${topic}/${partition}@`)) this.#records.delete(place);
  }
}

function placeOf({ topic, partition }: Partition, offset: number): string {
  return `${topic}/${partition}@${offset}`;
}
