import type { Prng } from '@flyball/core';
import type { Order, OrderAnswer, ReleaseOrder } from './orders.ts';
import { type Isolated, type Throttle, TrafficRules } from './traffic-rules.ts';

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
  readonly throttle: Throttle | null;
  readonly isolated: readonly Isolated[];
  /** For people: `v2 25 %, v1 75 %; 50 % of requests`. */
  readonly text: string;
}

/** A service that can be rolled out. */
export interface RolledOut {
  readonly name: string;
  readonly instances: number;
}

interface Known {
  readonly stable: string;
  readonly canary: string | null;
  /** Share of the canary from its second step on, 0 to 1. */
  readonly canaryRatio: number;
  readonly deployedAtMs: number;
  readonly generation: Generation;
  readonly lastCommandId: string;
  readonly instances: number;
  readonly rules: TrafficRules;
}

/** Share of traffic of a canary's first step, for so long. */
const FIRST_RATIO = 0.05;
const FIRST_MS = 2_000;
/** Share of a canary's traffic when nobody says otherwise. */
const CANARY_RATIO = 0.25;

/**
 * The rollout controller of one environment: brings canaries out in steps, and does what it is told. It keeps the newest
 * generation per service and refuses older ones, so that an order that comes late cannot undo a newer one. It counts
 * every attempt that reached it: the ledger that a proof of "once" needs.
 */
export class Rollouts {
  readonly #environment: string;
  readonly #rollouts = new Map<string, Known>();
  readonly #attempts = new Map<string, number>();

  constructor(environment: string, services: readonly RolledOut[]) {
    this.#environment = environment;
    for (const { name, instances } of services) {
      const rest = { canary: null, canaryRatio: 0, generation: [0, 0] as const, lastCommandId: '', deployedAtMs: 0 };
      this.#rollouts.set(name, { stable: 'v1', ...rest, instances, rules: new TrafficRules() });
    }
  }

  /** A service's rollout as it is now, or `undefined` for a service that is not there. */
  read(name: string, nowMs: number): Rollout | undefined {
    const known = this.#rollouts.get(name);
    if (known === undefined) return undefined;
    const { stable, canary, deployedAtMs, generation, lastCommandId, rules } = known;
    const isFirst = nowMs < deployedAtMs + FIRST_MS;
    const canaryRatio = canary === null ? 0 : isFirst ? Math.min(FIRST_RATIO, known.canaryRatio) : known.canaryRatio;
    const about = { environment: this.#environment, name, stable, canary, canaryRatio, generation, lastCommandId };
    return {
      ...about,
      throttle: rules.throttle,
      isolated: rules.isolated,
      text: `${versionsText(about)}${rules.text}`,
    };
  }

  /** Whether a service's proxy lets a request through. */
  admits(name: string, nowMs: number, dice: Prng): boolean {
    return this.#rollouts.get(name)!.rules.admits(nowMs, dice);
  }

  /** Starts to bring a version out as a canary, up to a share of the traffic. */
  deploy(name: string, version: string, nowMs: number, canaryRatio = CANARY_RATIO): Rollout | undefined {
    const known = this.#rollouts.get(name);
    if (known === undefined) return undefined;
    this.#rollouts.set(name, { ...known, canary: version, canaryRatio, deployedAtMs: nowMs });
    return this.read(name, nowMs);
  }

  /** Carries out an order, at most once. A repeat of the very same one changes nothing and answers as before. */
  obey(name: string, order: Order, nowMs: number): OrderAnswer | undefined {
    const rollout = this.read(name, nowMs);
    const known = this.#rollouts.get(name);
    if (rollout === undefined || known === undefined) return undefined;
    const { commandId, generation } = order;
    this.#attempts.set(commandId, (this.#attempts.get(commandId) ?? 0) + 1);
    const before = rollout.text;
    if (rollout.lastCommandId === commandId) return { ok: true, before, after: before };
    if (!isAbove(generation, rollout.generation)) {
      const message = `generation ${rollout.generation.join('.')} was seen, ${generation.join('.')} is older`;
      return { ok: false, code: 'stale_generation', message };
    }
    const changed = change(known, order, nowMs);
    if (changed === undefined) {
      return { ok: false, code: 'precondition', message: `${this.#environment}/${name} shows ${before}` };
    }
    this.#rollouts.set(name, { ...changed, generation, lastCommandId: commandId });
    return { ok: true, before, after: this.read(name, nowMs)!.text };
  }

  /** Takes back what a command has set, if it still is. Safe to repeat. */
  release(name: string, { commandId, doneRatio }: ReleaseOrder, nowMs: number): OrderAnswer | undefined {
    const rollout = this.read(name, nowMs);
    const known = this.#rollouts.get(name);
    if (rollout === undefined || known === undefined) return undefined;
    if (!known.rules.release(commandId, doneRatio)) {
      return { ok: false, code: 'gone', message: `${this.#environment}/${name} shows ${rollout.text}` };
    }
    return { ok: true, before: rollout.text, after: this.read(name, nowMs)!.text };
  }

  /** Attempts that reached this controller, by command. */
  attempts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#attempts);
  }
}

/** What an order makes of a rollout; `undefined` where what it asks for is not in place. */
function change(known: Known, order: Order, nowMs: number): Known | undefined {
  const { rules, instances } = known;
  switch (order.verb) {
    case 'rollback':
      if (known.canary !== order.fromVersion || known.stable !== order.toVersion) return undefined;
      return { ...known, canary: null, canaryRatio: 0 };
    case 'throttle':
      if (rules.throttle !== null) return undefined;
      rules.setThrottle(order.commandId, order.limit, nowMs);
      return known;
    case 'isolate': {
      // Whoever is left must carry the load: never more than half is taken out.
      const isKnown = rules.isolated.some(({ instance }) => instance === order.instance);
      if (isKnown || rules.isolated.length + 1 > instances / 2) return undefined;
      rules.isolate(order.commandId, order.instance);
      return known;
    }
  }
}

/** Versions for people: `v2 25 %, v1 75 %`. */
function versionsText({ stable, canary, canaryRatio }: Pick<Rollout, 'stable' | 'canary' | 'canaryRatio'>): string {
  const percent = (ratio: number) => `${Number((ratio * 100).toPrecision(2))} %`;
  return canary === null
    ? `${stable} 100 %`
    : `${canary} ${percent(canaryRatio)}, ${stable} ${percent(1 - canaryRatio)}`;
}

function isAbove(a: Generation, b: Generation): boolean {
  return a[0] !== b[0] ? a[0] > b[0] : a[1] > b[1];
}
