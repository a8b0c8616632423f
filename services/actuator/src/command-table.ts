import { type Command, type OutcomesMessage, targetKey } from '@flyball/contracts';
import { HOUR_MS } from '@flyball/core';

/** Commands that are remembered; of more the oldest that are finished go, unless what they did may still be in force. */
const KNOWN_MAX = 10_000;
/** No effect that ends lasts longer: twice what a policy may say. */
const IN_FORCE_MAX_MS = 48 * HOUR_MS;

/** What is on record of a command. */
export interface KnownCommand {
  /** Run of the first claim in the log, or `null`. */
  claimedBy: string | null;
  /** When this actuator first saw that claim, by its monotonic clock, ms. */
  claimSeenMs: number;
  isFinal: boolean;
  /** When its final outcome was told, by the wall clock of whoever said so, ms; 0 before. */
  finalAtMs: number;
  /** When it took effect, or may have, by the wall clock of whoever said so, ms; `null` when surely not. */
  appliedAtMs: number | null;
  /** Whether its effect was undone at its end. */
  isReverted: boolean;
}

/** What the outcomes of one partition say, rebuilt at each start: the actuator has no other memory. */
export class CommandTable {
  readonly #known = new Map<string, KnownCommand>();
  readonly #newest = new Map<string, Command['generation']>();
  /** When the newest final outcome was told, and the newest of those that are not remembered, ms. */
  #newestAtMs = 0;
  #forgottenAtMs = 0;

  /** Takes in a record of `remediation.outcomes`. Only the first claim counts; a final outcome stays. */
  record(message: OutcomesMessage, nowMs: number): void {
    if (message.type === 'judgement') return;
    const known = this.of(message.commandId);
    if (message.type === 'claim') {
      if (known.claimedBy !== null) return;
      known.claimedBy = message.run;
      known.claimSeenMs = nowMs;
      return;
    }
    if (message.status === 'reverted') known.isReverted = true;
    else if (!known.isFinal && (message.status === 'applied' || message.status === 'unknown'))
      known.appliedAtMs = message.atMs;
    if (!known.isFinal) known.finalAtMs = message.atMs;
    known.isFinal = true;
    this.#newestAtMs = Math.max(this.#newestAtMs, message.atMs);
    this.#trim();
  }

  /**
   * Whether a command is so old that what became of it is not remembered: the log keeps every command for ever. Nothing is done
   * or told of it again.
   */
  isForgotten({ commandId, expiresAtMs }: Command): boolean {
    return expiresAtMs < this.#forgottenAtMs && !this.#known.has(commandId);
  }

  /** What is known of a command. */
  of(commandId: string): KnownCommand {
    const known = this.#known.get(commandId) ?? { ...NOTHING };
    this.#known.set(commandId, known);
    return known;
  }

  /** Takes in that a command was issued: a newer one of a target makes older ones stale. */
  issued(command: Command): void {
    const key = targetKey(command.target);
    const newest = this.#newest.get(key);
    if (newest === undefined || isBelow(newest, command.generation)) this.#newest.set(key, command.generation);
  }

  /** Whether a newer command of the same target was issued. */
  isStale(command: Command): boolean {
    const newest = this.#newest.get(targetKey(command.target));
    return newest !== undefined && isBelow(command.generation, newest);
  }

  #trim(): void {
    if (this.#known.size <= KNOWN_MAX) return;
    for (const [commandId, { isFinal, finalAtMs, appliedAtMs, isReverted }] of this.#known) {
      const mayBeInForce = appliedAtMs !== null && !isReverted && finalAtMs > this.#newestAtMs - IN_FORCE_MAX_MS;
      if (!isFinal || mayBeInForce) continue;
      this.#known.delete(commandId);
      this.#forgottenAtMs = Math.max(this.#forgottenAtMs, finalAtMs);
      if (this.#known.size <= KNOWN_MAX * 0.9) return;
    }
  }
}

const NOTHING: KnownCommand = {
  ...{ claimedBy: null, claimSeenMs: 0, isFinal: false, finalAtMs: 0, appliedAtMs: null, isReverted: false },
};

function isBelow(a: Command['generation'], b: Command['generation']): boolean {
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}
