/** Order number of a command: lane epoch and offset. */
type Generation = readonly [number, number];

/** How a service is rolled out. The names are those of the HTTP API. */
export interface Rollout {
  readonly environment: string;
  readonly name: string;
  readonly stable: string;
  readonly canary: string | null;
  /** Share of traffic that the canary gets, 0 to 1. */
  readonly canaryRatio: number;
  readonly generation: Generation;
  readonly lastCommandId: string;
}

/** An order that was carried out, or not. */
export type RollbackAnswer =
  | { readonly ok: true; readonly before: string; readonly after: string }
  | { readonly ok: false; readonly code: 'stale_generation' | 'precondition'; readonly message: string };

/** An order to roll back. */
export interface RollbackOrder {
  readonly commandId: string;
  readonly generation: Generation;
  readonly fromVersion: string;
  readonly toVersion: string;
}

const STEPS = [
  { afterMs: 0, ratio: 0.05 },
  { afterMs: 2_000, ratio: 0.25 },
];

/**
 * The rollout controller of one environment: brings canaries out in steps, and rolls them back when told. It keeps
 * the newest generation per service and refuses older ones, so that an order that comes late cannot undo a newer
 * one. It counts every attempt that reached it: the ledger that a proof of "once" needs.
 */
export class Rollouts {
  readonly #environment: string;
  readonly #rollouts = new Map<string, Rollout & { readonly deployedAtMs: number }>();
  readonly #attempts = new Map<string, number>();

  constructor(environment: string, services: readonly string[]) {
    this.#environment = environment;
    for (const name of services) {
      const rest = { canary: null, canaryRatio: 0, generation: [0, 0] as const, lastCommandId: '', deployedAtMs: 0 };
      this.#rollouts.set(name, { environment, name, stable: 'v1', ...rest });
    }
  }

  /** A service's rollout as it is now, or `undefined` for a service that is not there. */
  read(name: string, nowMs: number): Rollout | undefined {
    const known = this.#rollouts.get(name);
    if (known === undefined) return undefined;
    const { deployedAtMs, ...rollout } = known;
    if (rollout.canary === null) return rollout;
    const step = STEPS.findLast(({ afterMs }) => nowMs >= deployedAtMs + afterMs) ?? STEPS[0]!;
    return { ...rollout, canaryRatio: step.ratio };
  }

  /** Starts to bring a version out as a canary. */
  deploy(name: string, version: string, nowMs: number): Rollout | undefined {
    const known = this.#rollouts.get(name);
    if (known === undefined) return undefined;
    this.#rollouts.set(name, { ...known, canary: version, deployedAtMs: nowMs });
    return this.read(name, nowMs);
  }

  /** Carries out an order, at most once. A repeat of the very same one changes nothing and answers as before. */
  rollback(name: string, order: RollbackOrder, nowMs: number): RollbackAnswer | undefined {
    const rollout = this.read(name, nowMs);
    const known = this.#rollouts.get(name);
    if (rollout === undefined || known === undefined) return undefined;
    this.#attempts.set(order.commandId, (this.#attempts.get(order.commandId) ?? 0) + 1);
    const before = textOf(rollout);
    if (rollout.lastCommandId === order.commandId) return { ok: true, before, after: before };
    if (!isAbove(order.generation, rollout.generation)) {
      const message = `generation ${rollout.generation.join('.')} was seen, ${order.generation.join('.')} is older`;
      return { ok: false, code: 'stale_generation', message };
    }
    if (rollout.canary !== order.fromVersion || rollout.stable !== order.toVersion) {
      return { ok: false, code: 'precondition', message: `${this.#environment}/${name} shows ${before}` };
    }
    const { generation, commandId: lastCommandId } = order;
    this.#rollouts.set(name, { ...known, canary: null, canaryRatio: 0, generation, lastCommandId });
    return { ok: true, before, after: textOf(this.read(name, nowMs)!) };
  }

  /** Attempts that reached this controller, by command. */
  attempts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#attempts);
  }
}

/** A rollout for people: `v2 25 %, v1 75 %`. */
function textOf({ stable, canary, canaryRatio }: Rollout): string {
  const percent = (ratio: number) => `${Math.round(ratio * 100)} %`;
  return canary === null
    ? `${stable} 100 %`
    : `${canary} ${percent(canaryRatio)}, ${stable} ${percent(1 - canaryRatio)}`;
}

function isAbove(a: Generation, b: Generation): boolean {
  return a[0] !== b[0] ? a[0] > b[0] : a[1] > b[1];
}
