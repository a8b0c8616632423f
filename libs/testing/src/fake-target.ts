import type { Command, Target } from '@flyball/contracts';
import { UnavailableError } from '@flyball/core';
import type { Applied, Inverted, TargetDriver, TargetState } from '@flyball/runtime';

interface FakeRollout {
  stable: string;
  canary: string | null;
  generation: readonly [number, number];
  lastCommandId: string;
  /** What throttles and isolations have set, by command: the share that is released, 0 to 1. */
  readonly inForce: Map<string, number>;
}

/** What becomes of the next attempt: it works; nobody is there; it works, or does not, and the answer is lost. */
export type TargetFault = 'none' | 'unavailable' | 'done-unknown' | 'undone-unknown';

/** A target in memory that counts every attempt made of a command. */
export class FakeTarget implements TargetDriver {
  readonly name = 'fake';
  readonly fencing: TargetDriver['fencing'];
  /** Attempts that reached the target, by command. */
  readonly attempts = new Map<string, number>();
  /** Commands whose effect took place, in order. */
  readonly effects: string[] = [];
  nextFaults: TargetFault[] = [];
  /** Shares of the way back that the target was told, by command. */
  readonly inverses = new Map<string, number[]>();
  isAway = false;
  readonly #rollouts = new Map<string, FakeRollout>();

  constructor(fencing: TargetDriver['fencing'] = 'generation') {
    this.fencing = fencing;
  }

  /** Opens a rollout of a service at a version. */
  open(environment: string, name: string, stable: string): void {
    const nothing = { canary: null, generation: [-1, -1] as const, lastCommandId: '', inForce: new Map() };
    this.#rollouts.set(`${environment}/${name}`, { stable, ...nothing });
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
    const rollout = this.#rollout(target);
    const { stable, canary } = rollout;
    return { text: textOf(rollout), versions: canary === null ? [stable] : [stable, canary] };
  }

  async apply(command: Command): Promise<Applied> {
    const fault = this.isAway ? 'unavailable' : (this.nextFaults.shift() ?? 'none');
    if (fault === 'unavailable') throw new UnavailableError('TARGET_UNAVAILABLE', 'planted');
    this.attempts.set(command.commandId, (this.attempts.get(command.commandId) ?? 0) + 1);
    if (fault === 'undone-unknown') throw new UnavailableError('TARGET_UNKNOWN', 'planted');
    const rollout = this.#rollout(command.target);
    const { generation, action } = command;
    const isStale =
      generation[0] < rollout.generation[0] ||
      (generation[0] === rollout.generation[0] && generation[1] <= rollout.generation[1]);
    if (isStale) return { status: 'stale_generation', before: '', after: '', detail: 'older than what was seen' };
    const before = textOf(rollout);
    if (action.type !== 'rollback') rollout.inForce.set(command.commandId, 0);
    else if (rollout.canary === action.fromVersion && rollout.stable === action.toVersion) rollout.canary = null;
    else return { status: 'precondition', before: '', after: '', detail: 'shows something else' };
    Object.assign(rollout, { generation, lastCommandId: command.commandId });
    this.effects.push(command.commandId);
    if (fault === 'done-unknown') throw new UnavailableError('TARGET_UNKNOWN', 'planted');
    return { status: 'applied', before, after: textOf(rollout), detail: '' };
  }

  async invert({ commandId, target }: Command, doneRatio: number): Promise<Inverted> {
    if (this.isAway) throw new UnavailableError('TARGET_UNAVAILABLE', 'planted');
    this.inverses.set(commandId, [...(this.inverses.get(commandId) ?? []), doneRatio]);
    const rollout = this.#rollout(target);
    const before = textOf(rollout);
    const done = rollout.inForce.get(commandId);
    if (done === undefined) return { status: 'gone', before: '', after: before, detail: 'shows something else' };
    if (doneRatio === 1) rollout.inForce.delete(commandId);
    else rollout.inForce.set(commandId, Math.max(done, doneRatio));
    return { status: 'done', before, after: textOf(rollout), detail: '' };
  }

  /** Somebody else sets the target as it was. */
  clear(environment: string, name: string): void {
    this.#rollouts.get(`${environment}/${name}`)!.inForce.clear();
  }

  /** Whether a throttle or an isolation is in force, be it in part. */
  isRestrained(environment: string, name: string): boolean {
    return this.#rollouts.get(`${environment}/${name}`)!.inForce.size > 0;
  }

  /** Share of a command's effect that is in force, 0 to 1. */
  force(environment: string, name: string, commandId: string): number {
    const done = this.#rollouts.get(`${environment}/${name}`)!.inForce.get(commandId);
    return done === undefined ? 0 : 1 - done;
  }

  async has({ commandId, target }: Command): Promise<boolean> {
    const { lastCommandId, inForce } = this.#rollout(target);
    return lastCommandId === commandId || inForce.has(commandId);
  }

  #rollout({ environment, name }: Target): FakeRollout {
    if (this.isAway) throw new UnavailableError('TARGET_UNAVAILABLE', 'planted');
    const rollout = this.#rollouts.get(`${environment}/${name}`);
    if (rollout === undefined) throw new UnavailableError('TARGET_UNAVAILABLE', 'no such rollout');
    return rollout;
  }
}

function textOf({ stable, canary, inForce }: FakeRollout): string {
  return [stable, ...(canary === null ? [] : [canary]), ...inForce.keys()].join(', ');
}
