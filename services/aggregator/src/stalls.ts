import type { StallReport } from '@flyball/contracts';
import { slotStartMs } from '@flyball/core';
import type { AggregatorConfig } from './config.ts';

interface Heard {
  readonly atMs: number;
  readonly report: StallReport;
}

/** Newest reports as they are saved. */
export type SavedStalls = readonly (readonly [string, Heard])[];

/**
 * Knows which raw partitions are down. Nobody infers that from another reader, who may just be faster: a partition is down
 * only when every writer that is alive says that it has not answered for `stallMs`, and all that it ever took has been read.
 */
export class Stalls {
  readonly #stallMs: number;
  readonly #stepMs: number;
  #newest = new Map<string, Heard>();

  constructor({ stallMs, stepMs }: AggregatorConfig) {
    this.#stallMs = stallMs;
    this.#stepMs = stepMs;
  }

  /** Takes in reports that came with a step of log time. An older one never replaces a newer one. */
  hear(reports: readonly StallReport[], atMs: number): void {
    for (const report of reports) {
      const known = this.#newest.get(report.writer);
      if (known === undefined || known.atMs <= atMs) this.#newest.set(report.writer, { atMs, report });
    }
  }

  /**
   * The partitions that are down.
   *
   * @param times - how far each partition was read, ms of log time.
   */
  down(times: ReadonlyMap<string, number>): ReadonlySet<string> {
    const nowMs = Math.max(...times.values());
    for (const [writer, { atMs }] of this.#newest) if (atMs < nowMs - this.#stallMs) this.#newest.delete(writer);
    const writers = [...this.#newest.values()];
    const candidates = writers[0]?.report.stalled.map(({ partition }) => partition) ?? [];
    return new Set(
      candidates.filter((partition) => writers.every(({ report }) => this.#isDownFor(report, partition, times))),
    );
  }

  #isDownFor({ stalled }: StallReport, partition: string, times: ReadonlyMap<string, number>): boolean {
    const about = stalled.find((each) => each.partition === partition);
    if (about === undefined || about.forMs < this.#stallMs) return false;
    return about.ackedAtMs === 0 || (times.get(partition) ?? 0) >= slotStartMs(about.ackedAtMs, this.#stepMs);
  }

  save(): SavedStalls {
    return [...this.#newest].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  restore(saved: SavedStalls): void {
    this.#newest = new Map(saved);
  }
}
