import { MINUTE_MS } from '@flyball/core';
import { isWriter, type Provenance } from './provenance.ts';

/** Marks of writers go this long, in log time, after the writer's last record. */
export const WRITER_MARK_TTL_MS = 10 * MINUTE_MS;
/** Most marks of writers per lane; beyond it the one that was silent longest goes. */
export const WRITER_MARKS_MAX = 10_000;

/** A mark as it is saved: origin, epoch, position, index, log time of the last record. */
type SavedMark = readonly [string, number, number, number, number];

/** All marks of a lane as they are saved, in the order of their origins. */
export interface SavedMarks {
  readonly sweptAtMs: number;
  readonly marks: readonly SavedMark[];
}

interface Mark {
  epoch: number;
  position: number;
  index: number;
  atMs: number;
}

/**
 * Highest provenance seen per origin: what makes a record that was appended twice, or by a zombie, a no-op.
 * Sound because an origin's records reach a partition in order, and a repeat starts from an earlier one.
 */
export class Marks {
  readonly #marks = new Map<string, Mark>();
  #writers = 0;
  #sweptAtMs: number;

  constructor(saved: SavedMarks = { sweptAtMs: 0, marks: [] }) {
    this.#sweptAtMs = saved.sweptAtMs;
    for (const [origin, epoch, position, index, atMs] of saved.marks) {
      this.#marks.set(origin, { epoch, position, index, atMs });
      if (isWriter(origin)) this.#writers += 1;
    }
  }

  /**
   * Whether a record is new; if so, the mark of its origin moves up to it. Records of foreign producers,
   * which have no provenance, always are.
   */
  raise(provenance: Provenance | undefined, atMs: number): boolean {
    if (provenance === undefined) return true;
    const { origin, epoch, position, index } = provenance;
    const mark = this.#marks.get(origin);
    if (mark === undefined) {
      this.#marks.set(origin, { epoch, position, index, atMs });
      if (isWriter(origin)) this.#admitWriter(atMs);
      return true;
    }
    mark.atMs = Math.max(mark.atMs, atMs);
    if (!isAbove(provenance, mark)) return false;
    Object.assign(mark, { epoch, position, index });
    return true;
  }

  /** All marks, by origin: the same marks always give the same list. */
  save(): SavedMarks {
    const marks = [...this.#marks]
      .map(([origin, { epoch, position, index, atMs }]) => [origin, epoch, position, index, atMs] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return { sweptAtMs: this.#sweptAtMs, marks };
  }

  /** Sweeps at most once a minute of log time, and when there are too many: deterministic, and cheap. */
  #admitWriter(atMs: number): void {
    this.#writers += 1;
    const isDue = atMs - this.#sweptAtMs >= MINUTE_MS;
    if (!isDue && this.#writers <= WRITER_MARKS_MAX) return;
    this.#sweptAtMs = atMs;
    const writers = [...this.#marks].filter(([origin]) => isWriter(origin));
    writers.sort(([a, { atMs: aMs }], [b, { atMs: bMs }]) => aMs - bMs || (a < b ? -1 : 1));
    writers.forEach(([origin, mark], place) => {
      const isExcess = writers.length - place > WRITER_MARKS_MAX;
      if (!isExcess && mark.atMs > atMs - WRITER_MARK_TTL_MS) return;
      this.#marks.delete(origin);
      this.#writers -= 1;
    });
  }
}

function isAbove(provenance: Provenance, mark: Mark): boolean {
  if (provenance.epoch !== mark.epoch) return provenance.epoch > mark.epoch;
  if (provenance.position !== mark.position) return provenance.position > mark.position;
  return provenance.index > mark.index;
}
