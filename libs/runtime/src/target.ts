import type { Command, Target } from '@flyball/contracts';

/**
 * Something that can be acted on: one driver per platform. Port of the actuator; every driver passes the contract
 * test of `libs/testing`.
 */
export interface TargetDriver {
  /** As bindings name it: `twin`. */
  readonly name: string;
  /**
   * How the target itself keeps an older effect from landing after a newer one. With `none` nothing is done that no
   * person has approved, and an unknown outcome ends automation on the target until a person speaks.
   */
  readonly fencing: 'resourceVersion' | 'generation' | 'none';

  /** Reads the target. Changes nothing. @throws {UnavailableError} `TARGET_UNAVAILABLE` */
  read(target: Target): Promise<TargetState>;

  /**
   * Tries once to carry a command out, and never again by itself.
   *
   * @param signal - aborts the attempt at its deadline.
   * @throws {UnavailableError} `TARGET_UNKNOWN` when an attempt was made and nobody knows whether it took effect;
   * `TARGET_UNAVAILABLE` when surely nothing was done.
   */
  apply(command: Command, signal: AbortSignal): Promise<Applied>;

  /**
   * Undoes what a command has set, where the target still shows it, and nothing else. Safe to call again: what was
   * released is never tightened, and what is gone is `gone`.
   *
   * @param doneRatio - how far back to go: above 0, to 1 for all the way. What cannot be undone in part is undone whole.
   * @throws {UnavailableError} `TARGET_UNKNOWN`, `TARGET_UNAVAILABLE`: call again.
   */
  invert(command: Command, doneRatio: number, signal: AbortSignal): Promise<Inverted>;

  /** Reads whether the effect of this very command is in place, or was when it was the last. Changes nothing. */
  has(command: Command): Promise<boolean>;
}

/** What a target shows. */
export interface TargetState {
  /** For people: `v2 25 %, v1 75 %`. */
  readonly text: string;
  /** Versions that get traffic, the most first. */
  readonly versions: readonly string[];
}

/** Answer to an attempt that surely did, or surely did not, take effect. */
export interface Applied {
  readonly status: 'applied' | 'stale_generation' | 'precondition' | 'failed';
  readonly before: string;
  readonly after: string;
  readonly detail: string;
}

/** Answer to an inverse. `gone`: the target does not show what the command has set. */
export interface Inverted {
  readonly status: 'done' | 'gone' | 'failed';
  readonly before: string;
  readonly after: string;
  readonly detail: string;
}
