import { SECOND_MS } from '@flyball/core';
import type { Tick } from '@flyball/contracts';
import type { PartitionWriter } from './partition-writer.ts';

/** A partition that has not answered for so long is told of in ticks, and gets no request while others answer. */
const STALLED_AFTER_MS = 2 * SECOND_MS;
/** A partition whose clock is so far off that of the others is not written to: it would move time for everybody. */
const SKEW_MAX_MS = 2 * SECOND_MS;
/** Below so many partitions nobody can say whose clock is wrong. */
const SKEW_PARTITIONS_MIN = 3;
/** How often a partition that is left out is written to all the same, to find out whether it is well again. */
const PROBE_EVERY_MS = 30 * SECOND_MS;

/** Judges raw partitions by what they have answered. */
export class PartitionHealth {
  readonly #writers: readonly PartitionWriter[];
  readonly #monotonicMs: () => number;
  readonly #probedAtMs = new Map<number, number>();
  /** By partition, as of the last look: how far its clock is off. */
  #skewsMs: number[];
  /** The log's clock less our monotonic one, ms; `undefined` before the first answer. */
  #aheadMs: number | undefined;
  #takers: readonly PartitionWriter[];

  constructor(writers: readonly PartitionWriter[], monotonicMs: () => number) {
    this.#writers = writers;
    this.#monotonicMs = monotonicMs;
    this.#skewsMs = writers.map(() => 0);
    this.#takers = writers;
  }

  /** Looks at all partitions: with every tick, not with every request. */
  look(): void {
    const aheadMs = this.#writers.map(({ answered }) => answered.aheadMs);
    const known = aheadMs.filter((each) => each !== undefined).sort((a, b) => a - b);
    const medianMs = known[Math.floor(known.length / 2)];
    this.#aheadMs = medianMs;
    this.#skewsMs = aheadMs.map((each) => (each === undefined || medianMs === undefined ? 0 : each - medianMs));
    const well = this.#writers.filter(({ answered }, partition) => {
      return answered.silentMs < STALLED_AFTER_MS && !this.#isSkewed(partition);
    });
    // When none is well, whoever sends is told by the answer.
    this.#takers = well.length > 0 ? well : this.#writers;
  }

  /** Who takes requests now. */
  get takers(): readonly PartitionWriter[] {
    return this.#takers;
  }

  /** What the log's clock shows now, ms since the Unix epoch; `undefined` before it has answered at all. */
  get logMs(): number | undefined {
    if (this.#aheadMs === undefined) this.look();
    return this.#aheadMs === undefined ? undefined : this.#monotonicMs() + this.#aheadMs;
  }

  /** How far a partition's clock is off the median of all, ms. */
  skewMs(partition: number): number {
    return this.#skewsMs[partition]!;
  }

  /** Whether a partition is to get its tick: all do, but one with a wrong clock, which is only tried now and then. */
  takesTick(partition: number): boolean {
    if (!this.#isSkewed(partition)) return true;
    const nowMs = this.#monotonicMs();
    if (nowMs < (this.#probedAtMs.get(partition) ?? -Infinity) + PROBE_EVERY_MS) return false;
    this.#probedAtMs.set(partition, nowMs);
    return true;
  }

  /** The evidence of stalls for the next ticks. */
  stalled(): NonNullable<Tick['stalled']> {
    const stalled: NonNullable<Tick['stalled']> = {};
    for (const [partition, { answered }] of this.#writers.entries()) {
      const { ackedAtMs, silentMs } = answered;
      if (silentMs >= STALLED_AFTER_MS) stalled[partition] = { ackedAtMs, forMs: Math.round(silentMs) };
    }
    return stalled;
  }

  #isSkewed(partition: number): boolean {
    return this.#writers.length >= SKEW_PARTITIONS_MIN && Math.abs(this.skewMs(partition)) > SKEW_MAX_MS;
  }
}
