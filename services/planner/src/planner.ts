import {
  type Command,
  type ControlMessage,
  type Incident,
  type OutcomesMessage,
  type Relayed,
  type Scope,
  scopeKey,
  type SignalsClosed,
  type SignalsMessage,
  targetKey,
} from '@flyball/contracts';
import { RejectedError, textOf, utf8 } from '@flyball/core';
import { parsePolicy } from '@flyball/policy';
import { type Entry, Frontier, type Outbox, type Processor } from '@flyball/runtime';
import type { PlannerConfig } from './config.ts';
import type { KnownPolicy } from './decide.ts';
import { addChange, addOutcome, type EnvironmentState, newEnvironment } from './environment.ts';
import { EnvironmentStep } from './environment-step.ts';
import { Held, type HeldItem } from './held.ts';

/** What the planner says. */
export type PlannerOut = {
  'remediation.commands': Command;
  'remediation.outcomes': OutcomesMessage;
  'flyball.incidents': Incident;
};

/**
 * Makes every choice. It waits until every detector lane has passed an instant, so that a victim never overtakes
 * its cause, then takes what it held in a fixed order, environment by environment; words and outcomes it takes as
 * they come. Its *now* is the greatest log time seen: evidence ages while telemetry stands still.
 */
export class Planner implements Processor<SignalsMessage, PlannerOut> {
  readonly #config: PlannerConfig;
  readonly #frontier: Frontier;
  readonly #held = new Held();
  #nowMs = 0;
  #epoch = 0;
  /** By tenant. No word means paused. */
  #resumed: Record<string, boolean> = {};
  #policies: Record<string, KnownPolicy & { readonly text: string; readonly tenant: string }> = {};
  #environments: Record<string, EnvironmentState> = {};

  /** @param detectorLanes - lanes to wait for: `detector:flyball.windows/0` …. */
  constructor(config: PlannerConfig, detectorLanes: readonly string[]) {
    this.#config = config;
    this.#frontier = new Frontier(detectorLanes);
  }

  process({ body, atMs, epoch, offset }: Entry<SignalsMessage>, outbox: Outbox<PlannerOut>): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
    this.#epoch = epoch;
    if (body.type === 'relayed') this.#hear(body, offset, outbox);
    else if (body.type === 'closed') this.#close(body, offset, outbox);
    else this.#held.add(body);
  }

  /** An entry was lost: what was held may be incomplete, so nothing is concluded from it. */
  skip(): void {
    this.#held.clear();
  }

  #close({ from, endMs }: SignalsClosed, offset: number, outbox: Outbox<PlannerOut>): void {
    if (!this.#frontier.raise(from, endMs)) return;
    for (const { atMs, scope, items } of this.#held.ripe(this.#frontier.atMs)) {
      this.#step(scope, offset, outbox).take(atMs, items);
    }
  }

  #hear({ fact, atMs }: Relayed, offset: number, outbox: Outbox<PlannerOut>): void {
    if (fact.type === 'claim' || fact.type === 'judgement') return;
    if (fact.type !== 'outcome') return this.#obey(fact, atMs);
    const state = this.#environment(fact.target);
    const known = addOutcome(state, fact);
    if (known !== undefined) this.#step(fact.target, offset, outbox).report(known);
  }

  #obey(word: ControlMessage, atMs: number): void {
    switch (word.type) {
      case 'pause':
        this.#resumed[word.tenant] = false;
        return;
      case 'resume':
        this.#resumed[word.tenant] = true;
        return;
      case 'policy':
        this.#learnPolicy(word);
        return;
      case 'binding': {
        const { tenant, environment, service, target } = word;
        this.#environment(word).bindings[service] = { tenant, environment, ...target };
        return;
      }
      case 'change':
        addChange(this.#environment(word), { atMs, word });
    }
  }

  /** A policy that cannot be read is left out: the edge refuses such a word, so it is one of another release. */
  #learnPolicy({ name, text, digest, tenant }: Extract<ControlMessage, { type: 'policy' }>): void {
    try {
      this.#policies[`${tenant} ${name}`] = { policy: parsePolicy(text), text, digest, tenant };
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      delete this.#policies[`${tenant} ${name}`];
    }
  }

  #step(scope: Scope, offset: number, outbox: Outbox<PlannerOut>): EnvironmentStep {
    const state = this.#environment(scope);
    const policies = Object.values(this.#policies).filter(({ tenant }) => tenant === scope.tenant);
    return new EnvironmentStep({
      config: this.#config,
      state,
      policies,
      nowMs: this.#nowMs,
      isPaused: this.#resumed[scope.tenant] !== true,
      generation: [this.#epoch, offset],
      say: {
        incident: (incident) => outbox.emit('flyball.incidents', scopeKey(scope), incident),
        command: (command) => outbox.emit('remediation.commands', targetKey(command.target), command),
        judgement: (judgement) => outbox.emit('remediation.outcomes', targetKey(judgement.target), judgement),
      },
    });
  }

  #environment(scope: Scope): EnvironmentState {
    return (this.#environments[scopeKey(scope)] ??= newEnvironment(scope));
  }

  snapshot(): Uint8Array {
    const policies = Object.values(this.#policies).map(({ text, digest, tenant, policy }) => {
      return { text, digest, tenant, name: policy.metadata.name };
    });
    const state = { nowMs: this.#nowMs, epoch: this.#epoch, resumed: this.#resumed, policies };
    const more = { frontier: this.#frontier.save(), held: this.#held.save(), environments: this.#environments };
    return utf8(JSON.stringify({ v: 1, ...state, ...more }));
  }

  restore(snapshot: Uint8Array): void {
    let saved: Saved;
    try {
      saved = JSON.parse(textOf(snapshot)) as Saved;
    } catch (cause) {
      throw new RejectedError('SNAPSHOT_INVALID', 'snapshot is not JSON', { cause });
    }
    if (saved.v !== 1) throw new RejectedError('SNAPSHOT_INVALID', 'snapshot has an unknown version');
    this.#nowMs = saved.nowMs;
    this.#epoch = saved.epoch;
    this.#resumed = saved.resumed;
    this.#policies = {};
    for (const { text, digest, tenant, name } of saved.policies) {
      this.#policies[`${tenant} ${name}`] = { policy: parsePolicy(text), text, digest, tenant };
    }
    this.#frontier.restore(saved.frontier);
    this.#held.restore(saved.held);
    this.#environments = saved.environments;
  }
}

interface Saved {
  readonly v: number;
  readonly nowMs: number;
  readonly epoch: number;
  readonly resumed: Record<string, boolean>;
  readonly policies: readonly { text: string; digest: string; tenant: string; name: string }[];
  readonly frontier: readonly (readonly [string, number | null])[];
  readonly held: readonly HeldItem[];
  readonly environments: Record<string, EnvironmentState>;
}
