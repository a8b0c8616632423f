import type { Command, Target } from '@flyball/contracts';
import { UnavailableError } from '@flyball/core';
import type { Applied, TargetDriver, TargetState } from '@flyball/runtime';

interface FakeRollout {
  stable: string;
  canary: string | null;
  generation: readonly [number, number];
  lastCommandId: string;
}

/** What becomes of the next attempt: it works; nobody is there; it works, or does not, and the answer is lost. */
export type TargetFault = 'none' | 'unavailable' | 'done-unknown' | 'undone-unknown';

/** A target in memory that counts every attempt made of a command. */
export class FakeTarget implements TargetDriver {
  readonly name = 'fake';
  readonly fencing = 'generation';
  /** Attempts that reached the target, by command. */
  readonly attempts = new Map<string, number>();
  /** Commands whose effect took place, in order. */
  readonly effects: string[] = [];
  nextFaults: TargetFault[] = [];
  readonly #rollouts = new Map<string, FakeRollout>();

  /** Opens a rollout of a service at a version. */
  open(environment: string, name: string, stable: string): void {
    this.#rollouts.set(`${environment}/${name}`, { stable, canary: null, generation: [-1, -1], lastCommandId: '' });
  }

  deploy(environment: string, name: string, canary: string): void {
    this.#rollouts.get(`${environment}/${name}`)!.canary = canary;
  }

  /** Whether a version gets traffic. */
  shows(environment: string, name: string, version: string): boolean {
    const { stable, canary } = this.#rollouts.get(`${environment}/${name}`)!;
    return stable === version || canary === version;
  }

  async read(target: Target): Promise<TargetState> {
    const { stable, canary } = this.#rollout(target);
    const versions = canary === null ? [stable] : [stable, canary];
    return { text: versions.join(', '), versions };
  }

  async apply(command: Command): Promise<Applied> {
    const fault = this.nextFaults.shift() ?? 'none';
    if (fault === 'unavailable') throw new UnavailableError('TARGET_UNAVAILABLE', 'planted');
    this.attempts.set(command.commandId, (this.attempts.get(command.commandId) ?? 0) + 1);
    if (fault === 'undone-unknown') throw new UnavailableError('TARGET_UNKNOWN', 'planted');
    const rollout = this.#rollout(command.target);
    const { generation, action } = command;
    const isStale =
      generation[0] < rollout.generation[0] ||
      (generation[0] === rollout.generation[0] && generation[1] <= rollout.generation[1]);
    if (isStale) return { status: 'stale_generation', before: '', after: '', detail: 'older than what was seen' };
    if (rollout.canary !== action.fromVersion || rollout.stable !== action.toVersion) {
      return { status: 'precondition', before: '', after: '', detail: 'shows something else' };
    }
    const before = `${rollout.stable}, ${rollout.canary}`;
    Object.assign(rollout, { canary: null, generation, lastCommandId: command.commandId });
    this.effects.push(command.commandId);
    if (fault === 'done-unknown') throw new UnavailableError('TARGET_UNKNOWN', 'planted');
    return { status: 'applied', before, after: rollout.stable, detail: '' };
  }

  async has({ commandId, target }: Command): Promise<boolean> {
    return this.#rollout(target).lastCommandId === commandId;
  }

  #rollout({ environment, name }: Target): FakeRollout {
    const rollout = this.#rollouts.get(`${environment}/${name}`);
    if (rollout === undefined) throw new UnavailableError('TARGET_UNAVAILABLE', 'no such rollout');
    return rollout;
  }
}
