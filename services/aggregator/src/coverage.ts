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
  /** How many raw partitions there are. */
  readonly partitions: number;
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
   * Share of `partitions` that vouch for `[startMs, endMs)` to a tenant ('' is nobody in particular), 0 to 1. Those that
   * are `behind` have not passed it: they are down.
   */
  of(window: { startMs: number; endMs: number }, tenant: string, { partitions, behind }: Voices): number {
    const uncovered = new Set<string>(behind);
    for (const blindness of this.#blind) {
      const concerns = blindness.tenant === '' || blindness.tenant === tenant;
      const overlaps = window.startMs <= blindness.untilMs && blindness.fromMs < window.endMs;
      const settles = blindness.untilMs < window.endMs && window.endMs <= blindness.untilMs + this.#settleMs;
      if (concerns && (overlaps || settles)) uncovered.add(blindness.from);
    }
    return partitions === 0 ? 0 : (partitions - uncovered.size) / partitions;
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
