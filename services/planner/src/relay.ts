import {
  type AuditedFact,
  type Command,
  type ControlMessage,
  type OutcomesMessage,
  scopeKey,
  type SignalsMessage,
  type TrailMessage,
} from '@flyball/contracts';
import { EMPTY_BYTES } from '@flyball/core';
import type { Entry, Outbox, Processor } from '@flyball/runtime';

/** What a relay says. */
export type RelayOut = { 'flyball.signals': SignalsMessage; 'flyball.trail': TrailMessage };

/**
 * Copies facts to where they are needed, so that every processor has one inbox: all of them to the auditor, and
 * those that the planner must know into its lanes. It has no state.
 */
abstract class Relay<Fact extends AuditedFact> implements Processor<Fact, RelayOut> {
  readonly #from: string;

  /** @param from - partition that is read, `flyball.control/0`. */
  constructor(from: string) {
    this.#from = from;
  }

  process({ body, atMs }: Entry<Fact>, outbox: Outbox<RelayOut>): void {
    const tenant = this.tenantOf(body);
    outbox.emit('flyball.trail', tenant, { type: 'trail', tenant, from: this.#from, atMs, fact: body });
    this.tellPlanner(body, atMs, outbox);
  }

  protected abstract tenantOf(fact: Fact): string;
  protected abstract tellPlanner(fact: Fact, atMs: number, outbox: Outbox<RelayOut>): void;

  /** A fact that cannot be relayed is in the dead letters; nothing follows from it. */
  skip(): void {}

  snapshot(): Uint8Array {
    return EMPTY_BYTES;
  }

  restore(): void {}
}

/** Relays operators' words and change events. Words of global scope go to every lane of the planner. */
export class ControlRelay extends Relay<ControlMessage> {
  protected tenantOf({ tenant }: ControlMessage): string {
    return tenant;
  }

  protected tellPlanner(fact: ControlMessage, atMs: number, outbox: Outbox<RelayOut>): void {
    const relayed = { type: 'relayed' as const, atMs, fact };
    // What is of one environment goes to its lane; nobody there needs what is for the detectors.
    if (fact.type === 'slo') return;
    if ('environment' in fact) outbox.emit('flyball.signals', scopeKey(fact), relayed);
    else outbox.broadcast('flyball.signals', relayed);
  }
}

/** Relays what became of commands, but for what the planner itself said of them. */
export class OutcomeRelay extends Relay<OutcomesMessage> {
  protected tenantOf({ target }: OutcomesMessage): string {
    return target.tenant;
  }

  protected tellPlanner(fact: OutcomesMessage, atMs: number, outbox: Outbox<RelayOut>): void {
    if (fact.type === 'judgement') return;
    outbox.emit('flyball.signals', scopeKey(fact.target), { type: 'relayed', atMs, fact });
  }
}

/** Relays commands to the auditor. */
export class CommandRelay extends Relay<Command> {
  protected tenantOf({ target }: Command): string {
    return target.tenant;
  }

  protected tellPlanner(): void {}
}
