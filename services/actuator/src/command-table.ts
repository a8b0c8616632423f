import { type Command, type OutcomesMessage, targetKey } from '@flyball/contracts';

/** Finished commands that are remembered; older ones are gone from the commands topic's readers too. */
const FINISHED_MAX = 10_000;

/** What is on record of a command. */
export interface KnownCommand {
  /** Run of the first claim in the log, or `null`. */
  claimedBy: string | null;
  /** When this actuator first saw that claim, by its monotonic clock, ms. */
  claimSeenMs: number;
  isFinal: boolean;
  /** When it took effect, or may have, by the wall clock of whoever said so, ms; `null` when surely not. */
  appliedAtMs: number | null;
  /** Whether its effect was undone at its end. */
  isReverted: boolean;
}

/** What the outcomes of one partition say, rebuilt at each start: the actuator has no other memory. */
export class CommandTable {
  readonly #known = new Map<string, KnownCommand>();
  readonly #newest = new Map<string, Command['generation']>();

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
    known.isFinal = true;
    this.#trim();
  }

  /** What is known of a command. */
  of(commandId: string): KnownCommand {
    const nothing = { claimedBy: null, claimSeenMs: 0, isFinal: false, appliedAtMs: null, isReverted: false };
    const known = this.#known.get(commandId) ?? nothing;
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
    if (this.#known.size <= FINISHED_MAX) return;
    for (const [commandId, { isFinal }] of this.#known) {
      if (isFinal) this.#known.delete(commandId);
      if (this.#known.size <= FINISHED_MAX * 0.9) return;
    }
  }
}

function isBelow(a: Command['generation'], b: Command['generation']): boolean {
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}
