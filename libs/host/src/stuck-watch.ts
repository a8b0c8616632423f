import { SECOND_MS } from '@flyball/core';
import type { LaneHealth } from './lane-loop.ts';

const LOOK_EVERY_MS = 5 * SECOND_MS;

/** What a watch needs. */
export interface StuckOptions {
  readonly stuckMs: number;
  readonly lanes: () => Promise<readonly LaneHealth[]>;
  readonly onStuck: () => void;
  /** A clock that only goes forward, ms. Given by tests only. */
  readonly monotonicMs?: () => number;
}

/**
 * Notices that a process has not reached the log for too long by any of its lanes: a client library may be wedged where
 * no error shows it, and a fresh process is the one cure that always works. A lane that is lost (`LANE_STATE_LOST` …) has
 * reached the log, and waits for a person.
 */
export class StuckWatch {
  readonly #options: StuckOptions;
  readonly #monotonicMs: () => number;
  #reachedMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StuckOptions) {
    this.#options = options;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#reachedMs = this.#monotonicMs();
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks once. */
  async look(): Promise<void> {
    const lanes = await this.#options.lanes();
    const isAway = lanes.length > 0 && lanes.every(({ state, code }) => state === 'failing' && AWAY.has(code));
    const nowMs = this.#monotonicMs();
    if (!isAway) this.#reachedMs = nowMs;
    else if (nowMs - this.#reachedMs >= this.#options.stuckMs) this.#options.onStuck();
  }
}

/** Codes of a log that does not answer. */
const AWAY = new Set(['LOG_UNAVAILABLE', 'LOG_TIMEOUT', 'LOG_APPEND_UNKNOWN']);
