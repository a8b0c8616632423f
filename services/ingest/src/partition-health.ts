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

/** What is known of one partition, as of the last look. */
interface Known {
  /** How far its clock is off, ms. */
  skewMs: number;
  /** Whether what it takes would get a wrong time. */
  isSkewed: boolean;
  /** When its clock was last seen to be right, ms of the monotonic clock. */
  rightAtMs: number;
  /** When it was last tried since its clock is wrong, ms of the monotonic clock. */
  probedAtMs: number;
}

/** Judges raw partitions by what they have answered. */
export class PartitionHealth {
  readonly #writers: readonly PartitionWriter[];
  readonly #monotonicMs: () => number;
  readonly #known: readonly Known[];
  /** The log's clock less our monotonic one, ms; `undefined` before the first answer. */
  #aheadMs: number | undefined;
  #takers: readonly PartitionWriter[];

  constructor(writers: readonly PartitionWriter[], monotonicMs: () => number) {
    this.#writers = writers;
    this.#monotonicMs = monotonicMs;
    const rightAtMs = monotonicMs();
    this.#known = writers.map(() => ({ skewMs: 0, isSkewed: false, rightAtMs, probedAtMs: -Infinity }));
    this.#takers = writers;
  }

  /** Looks at all partitions: with every tick, not with every request. */
  look(): void {
    this.#aheadMs = this.#medianAheadMs();
    const nowMs = this.#monotonicMs();
    for (const [partition, known] of this.#known.entries()) {
      const { aheadMs, ackedAtMs } = this.#writers[partition]!.answered;
      if (aheadMs === undefined || this.#aheadMs === undefined) continue;
      known.skewMs = aheadMs - this.#aheadMs;
      // Log time never goes back: what comes before it is where it once was would be late, though the clock is right again.
      const offMs = Math.max(Math.abs(known.skewMs), ackedAtMs - (nowMs + this.#aheadMs));
      known.isSkewed = this.#writers.length >= SKEW_PARTITIONS_MIN && offMs > SKEW_MAX_MS;
      if (known.isSkewed) continue;
      known.rightAtMs = nowMs;
      known.probedAtMs = -Infinity;
    }
    const well = this.#writers.filter(({ answered }, partition) => {
      return answered.silentMs < STALLED_AFTER_MS && !this.#known[partition]!.isSkewed;
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
    return this.#known[partition]!.skewMs;
  }

  /** Whether a partition is to get its tick: all do, but one with a wrong clock, which is only tried now and then. */
  takesTick(partition: number): boolean {
    const known = this.#known[partition]!;
    if (!known.isSkewed || this.#takers.includes(this.#writers[partition]!)) return true;
    const nowMs = this.#monotonicMs();
    if (nowMs < known.probedAtMs + PROBE_EVERY_MS) return false;
    known.probedAtMs = nowMs;
    return true;
  }

  /** The evidence of stalls for the next ticks. A partition that is left out for its clock is as good as down, also when it is tried. */
  stalled(): NonNullable<Tick['stalled']> {
    const nowMs = this.#monotonicMs();
    const stalled: NonNullable<Tick['stalled']> = {};
    for (const [partition, writer] of this.#writers.entries()) {
      const { ackedAtMs, silentMs } = writer.answered;
      const { isSkewed, rightAtMs } = this.#known[partition]!;
      const isLeftOut = isSkewed && !this.#takers.includes(writer);
      const forMs = isLeftOut ? Math.max(silentMs, nowMs - rightAtMs) : silentMs;
      if (forMs >= STALLED_AFTER_MS) stalled[partition] = { ackedAtMs, forMs: Math.round(forMs) };
    }
    return stalled;
  }

  /** Where half of them say one thing and half another, as when one broker leads half, who goes on as before is believed. */
  #medianAheadMs(): number | undefined {
    const known = this.#writers.map(({ answered }) => answered.aheadMs).filter((each) => each !== undefined);
    if (known.length === 0) return undefined;
    known.sort((a, b) => a - b);
    const [low, high] = [known[Math.floor((known.length - 1) / 2)]!, known[Math.floor(known.length / 2)]!];
    const beforeMs = this.#aheadMs ?? low;
    return Math.abs(low - beforeMs) <= Math.abs(high - beforeMs) ? low : high;
  }
}
