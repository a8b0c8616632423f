import {
  type AuditedFact,
  type Command,
  type ControlMessage,
  type OutcomesMessage,
  scopeKey,
  type SignalsMessage,
  type SloWord,
  subjectKey,
  type TrailMessage,
  type WindowsMessage,
} from '@flyball/contracts';
import { EMPTY_BYTES } from '@flyball/core';
import type { Entry, Outbox, Processor } from '@flyball/runtime';

/** What a relay says. */
export type RelayOut = {
  'flyball.signals': SignalsMessage;
  'flyball.trail': TrailMessage;
  'flyball.windows': WindowsMessage;
};

/**
 * Copies facts to where they are needed, so that every processor has one inbox: all of them to the auditor, and
 * those that the planner or the detector must know into its lanes. It has no state.
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
    this.passOn(body, atMs, outbox);
  }

  protected abstract tenantOf(fact: Fact): string;
  protected abstract passOn(fact: Fact, atMs: number, outbox: Outbox<RelayOut>): void;

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

  protected passOn(fact: ControlMessage, atMs: number, outbox: Outbox<RelayOut>): void {
    // What people say of an incident is for people: it must not change what is decided.
    if (fact.type === 'note' || fact.type === 'feedback') return;
    const relayed = { type: 'relayed' as const, atMs, fact };
    if (fact.type === 'slo') return this.#setObjective(fact, atMs, outbox);
    if ('environment' in fact) outbox.emit('flyball.signals', scopeKey(fact), relayed);
    else outbox.broadcast('flyball.signals', relayed);
  }

  /** Objectives are for who judges the service; the planner sees them in signals. */
  #setObjective(word: SloWord, atMs: number, outbox: Outbox<RelayOut>): void {
    const { tenant, environment, service, sli = 'errors', objectiveRatio, windowMs, thresholdMs = null } = word;
    const subject = { tenant, environment, service };
    const objective = { sli, objectiveRatio, windowMs, thresholdMs };
    outbox.emit('flyball.windows', subjectKey(subject), { type: 'objective', subject, objective, atMs });
  }
}

/** Relays what became of commands, but for what the planner itself said of them. */
export class OutcomeRelay extends Relay<OutcomesMessage> {
  protected tenantOf({ target }: OutcomesMessage): string {
    return target.tenant;
  }

  protected passOn(fact: OutcomesMessage, atMs: number, outbox: Outbox<RelayOut>): void {
    if (fact.type === 'judgement') return;
    outbox.emit('flyball.signals', scopeKey(fact.target), { type: 'relayed', atMs, fact });
  }
}

/** Relays commands to the auditor. */
export class CommandRelay extends Relay<Command> {
  protected tenantOf({ target }: Command): string {
    return target.tenant;
  }

  protected passOn(): void {}
}
