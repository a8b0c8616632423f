import type { Interval, TimeStep } from '@flyball/contracts';
import type { AggregatorConfig } from './config.ts';

/** Blindness of one raw partition: of everybody (`tenant` is ''), or of one tenant whose telemetry was refused. */
interface Blindness extends Interval {
  readonly from: string;
  readonly tenant: string;
}

/** How far back of a time step its refusals may reach: a tick tells what was refused since the tick before. */
const REFUSAL_STEPS = 2;

/** Who may vouch for a window. */
export interface Voices {
  /** The raw partitions. */
  readonly origins: readonly string[];
  /** Those that have not passed it: they are down. */
  readonly behind: readonly string[];
}

/**
 * Knows which raw partitions can vouch for a window. A window is not covered by a partition when it overlaps a
 * time of which the partition cannot say what happened, or ends soon after: senders back off.
 */
export class Coverage {
  readonly #settleMs: number;
  readonly #stepMs: number;
  #blind: Blindness[] = [];

  constructor({ settleMs, stepMs }: AggregatorConfig) {
    this.#settleMs = settleMs;
    this.#stepMs = stepMs;
  }

  /** Takes in what a time step tells. `beforeMs` is the partition's time before it. */
  add({ from, atMs, blind, refusedTenants }: TimeStep, beforeMs: number): void {
    for (const { fromMs, untilMs } of blind) this.#blind.push({ from, tenant: '', fromMs, untilMs });
    const fromMs = Math.min(beforeMs, atMs) - REFUSAL_STEPS * this.#stepMs;
    for (const tenant of refusedTenants) this.#blind.push({ from, tenant, fromMs, untilMs: atMs });
  }

  /**
   * Share of `origins` that vouch for `[startMs, endMs)` to a tenant ('' is nobody in particular), 0 to 1. Those that
   * are `behind` have not passed it: they are down.
   */
  of(window: { startMs: number; endMs: number }, tenant: string, { origins, behind }: Voices): number {
    const uncovered = new Set<string>(behind);
    for (const blindness of this.#blind) {
      const concerns = blindness.tenant === '' || blindness.tenant === tenant;
      const overlaps = window.startMs <= blindness.untilMs && blindness.fromMs < window.endMs;
      const settles = blindness.untilMs < window.endMs && window.endMs <= blindness.untilMs + this.#settleMs;
      if (concerns && (overlaps || settles)) uncovered.add(blindness.from);
    }
    return origins.length === 0 ? 0 : (origins.length - uncovered.size) / origins.length;
  }

  /** Whether each of some partitions was blind, at one go, from the start to the end of an interval. */
  isHole({ fromMs, untilMs }: Interval, origins: readonly string[]): boolean {
    const holes = this.#blind.filter((each) => each.tenant === '' && each.fromMs <= fromMs && each.untilMs >= untilMs);
    return origins.every((origin) => holes.some(({ from }) => from === origin));
  }

  /** Forgets what cannot concern windows that start at or after `startMs`. */
  prune(startMs: number): void {
    this.#blind = this.#blind.filter(({ untilMs }) => untilMs + this.#settleMs >= startMs);
  }

  save(): readonly Blindness[] {
    return this.#blind;
  }

  restore(saved: readonly Blindness[]): void {
    this.#blind = [...saved];
  }
}
