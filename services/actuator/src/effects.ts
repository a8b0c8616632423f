import { type Command, type Outcome, targetKey } from '@flyball/contracts';
import { UnavailableError } from '@flyball/core';
import { traced } from '@flyball/host';
import type { TargetDriver } from '@flyball/runtime';
import type { CommandTable } from './command-table.ts';
import type { ActuatorConfig } from './config.ts';
import { withinDeadline } from './deadline.ts';

/** A ramp goes back in so many equal steps. */
const RAMP_STEPS = 4;
/** The longest wait for a target that does not answer: each try keeps other targets waiting. */
const RETRY_MS_MAX = 60_000;

/** What became of an effect at its end. */
export type Ended = Pick<Outcome, 'detail' | 'by' | 'before' | 'after'>;

interface Effect {
  readonly command: Command;
  /** When this run began to undo it, by the wall clock, ms; `null` before. */
  startedAtMs: number | null;
  /** Steps that the target has answered. */
  steps: number;
  /** Not tried again before, by the wall clock, ms: the target did not answer. */
  againAtMs: number;
  /** Calls in a row that the target did not answer. */
  failures: number;
  before: string;
  /** What became of it, once this run has undone it; until that is reported. */
  ended: Ended | undefined;
}

/** What it takes to undo effects. */
export interface EffectsOptions {
  readonly config: ActuatorConfig;
  readonly run: string;
  readonly drivers: ReadonlyMap<string, TargetDriver>;
  readonly table: CommandTable;
  readonly wallMs: () => number;
}

/**
 * Effects that end. Each is undone at its time by what its command says, at least once, whoever has paused what: an
 * effect that is left behind is worse than one that never was. It keeps nothing for another start: the log says what is in force.
 */
export class Effects {
  readonly #options: EffectsOptions;
  readonly #effects = new Map<string, Effect>();

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  /** Takes in a command from the log. */
  issued(command: Command): void {
    if (command.ttlMs === null || command.inverse === null) return;
    const fresh = { command, startedAtMs: null, steps: 0, againAtMs: 0, failures: 0, before: '', ended: undefined };
    if (!this.#effects.has(command.commandId)) this.#effects.set(command.commandId, fresh);
  }

  /** Undoes what is due, with at most one call of a target. Needs no log: what was read of it says what is in force. */
  async undoDue(): Promise<void> {
    for (const effect of this.#effects.values()) {
      const { command } = effect;
      const known = this.#options.table.of(command.commandId);
      if (known.isReverted || (known.isFinal && known.appliedAtMs === null)) {
        this.#effects.delete(command.commandId);
        continue;
      }
      if (effect.ended !== undefined || known.appliedAtMs === null) continue;
      if (!this.#isDue(effect, known.appliedAtMs, known.claimedBy)) continue;
      effect.ended = await this.#undo(effect);
      return;
    }
  }

  /** Takes out a command whose effect is over, to be reported; `undefined` when there is none. */
  takeEnded(): { readonly command: Command; readonly ended: Ended } | undefined {
    for (const { command, ended } of this.#effects.values()) {
      if (ended === undefined) continue;
      this.#effects.delete(command.commandId);
      // Another may have undone it, too, while the log was away, and have said so first.
      if (!this.#options.table.of(command.commandId).isReverted) return { command, ended };
    }
    return undefined;
  }

  /** Whoever did it undoes it; others only when that one must be gone. */
  #isDue(effect: Effect, appliedAtMs: number, claimedBy: string | null): boolean {
    const { config, run, wallMs } = this.#options;
    const endsAtMs = appliedAtMs + effect.command.ttlMs! + (claimedBy === run ? 0 : config.claimGraceMs);
    const nowMs = wallMs();
    if (nowMs < endsAtMs || nowMs < effect.againAtMs) return false;
    // However late it is: what is released gradually is released gradually.
    effect.startedAtMs ??= nowMs;
    return nowMs >= effect.startedAtMs + effect.steps * config.rampStepMs;
  }

  async #undo(effect: Effect): Promise<Ended | undefined> {
    const { config, drivers, wallMs } = this.#options;
    const { command } = effect;
    const driver = drivers.get(command.target.driver);
    const steps = command.release === 'ramp' ? RAMP_STEPS : 1;
    const doneRatio = (effect.steps + 1) / steps;
    const about = { 'flyball.command': command.commandId, 'flyball.target': targetKey(command.target) };
    try {
      if (driver === undefined) throw new UnavailableError('TARGET_UNAVAILABLE', 'no driver');
      const { status, before, after, detail } = await traced('undo', about, () =>
        withinDeadline(config.attemptDeadlineMs, (signal) => driver.invert(command, doneRatio, signal)),
      );
      if (status === 'failed') throw new UnavailableError('TARGET_UNAVAILABLE', detail);
      if (effect.steps === 0) effect.before = before;
      effect.steps += 1;
      effect.failures = 0;
      if (status === 'gone')
        return { detail: `its time was over; not in place any more: ${detail}`, by: 'reading', before: '', after };
      if (doneRatio < 1) return undefined;
      return { detail: 'its time was over', by: 'attempt', before: effect.before, after };
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      effect.againAtMs = wallMs() + Math.min(RETRY_MS_MAX, config.undoRetryMs * 2 ** effect.failures);
      effect.failures += 1;
      return undefined;
    }
  }
}
