import type { StallReport, Tick } from '@flyball/contracts';
import type { AggregatorConfig } from './config.ts';

/** A writer whose partitions all answer is told of this often within `stallMs`: enough to show that it lives. */
const TOLD_PER_STALL = 3;
/** Most writers that are remembered; beyond it the one that ticked longest ago goes. */
const WRITERS_MAX = 10_000;

interface Known {
  report: StallReport;
  /** When it ticked last, and when it was told of last, if ever, ms; log time. */
  tickedAtMs: number;
  toldAtMs: number | null;
}

/** Known writers as they are saved. */
export type SavedReports = readonly (readonly [string, Known])[];

/** What writers say in their ticks of partitions that do not answer them, as one raw partition hears it. */
export class WriterReports {
  readonly #stallMs: number;
  #known = new Map<string, Known>();

  constructor({ stallMs }: AggregatorConfig) {
    this.#stallMs = stallMs;
  }

  /** Takes in a tick. One without a writer gives no evidence. */
  hear({ writer, stalled = {} }: Tick, topic: string, atMs: number): void {
    if (writer === undefined) return;
    const list = Object.entries(stalled).map(([partition, about]) => ({
      partition: `${topic}/${partition}`,
      ...about,
    }));
    const toldAtMs = this.#known.get(writer)?.toldAtMs ?? null;
    this.#known.delete(writer); // Who ticked last stands last.
    this.#known.set(writer, { report: { writer, stalled: list }, tickedAtMs: atMs, toldAtMs });
    if (this.#known.size > WRITERS_MAX) this.#known.delete(this.#known.keys().next().value!);
  }

  /** Takes out what is to be told now: stalls at once, mere signs of life now and then. */
  take(atMs: number): StallReport[] {
    const told: StallReport[] = [];
    for (const [writer, known] of this.#known) {
      if (known.tickedAtMs < atMs - this.#stallMs) {
        this.#known.delete(writer);
        continue;
      }
      if (!this.#isDue(known, atMs)) continue;
      known.toldAtMs = atMs;
      told.push(known.report);
    }
    return told;
  }

  #isDue({ report, tickedAtMs, toldAtMs }: Known, atMs: number): boolean {
    if (toldAtMs === null) return true;
    const isNews = toldAtMs < tickedAtMs;
    return isNews && (report.stalled.length > 0 || atMs >= toldAtMs + this.#stallMs / TOLD_PER_STALL);
  }

  save(): SavedReports {
    return [...this.#known];
  }

  restore(saved: SavedReports): void {
    this.#known = new Map(saved);
  }
}
