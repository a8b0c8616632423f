import {
  type AnswerWord,
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
import { decodeSnapshot, encodeSnapshot, RejectedError } from '@flyball/core';
import { isUnfenced, parsePolicy } from '@flyball/policy';
import { type Entry, Frontier, type Outbox, type Processor } from '@flyball/runtime';
import type { PlannerConfig } from './config.ts';
import type { KnownPolicy } from './decide.ts';
import {
  addChange,
  addEdges,
  addOutcome,
  type EnvironmentState,
  forgetSilent,
  isForgettable,
  newEnvironment,
  restoreEnvironment,
  saveEnvironment,
  type SavedEnvironment,
  seeFailures,
} from './environment.ts';
import { EnvironmentStep } from './environment-step.ts';
import { Held, type HeldItem } from './held.ts';
import { addFreeze, addSilence } from './quiet.ts';

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
  /**
   * By tenant: when a person last said that automation may act, ms; `null` after a pause. No word means paused, also
   * for a tenant that is called `constructor`: hence no plain object.
   */
  #resumedAtMs = new Map<string, number | null>();
  #policies: Record<string, KnownPolicy & { readonly text: string; readonly tenant: string }> = {};
  #environments = new Map<string, EnvironmentState>();

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
    for (const [key, state] of this.#environments) {
      if (state.incidents.length > 0) this.#step(state.scope, offset, outbox).pass(this.#frontier.atMs);
      forgetSilent(state, this.#frontier.atMs);
      if (isForgettable(state)) this.#environments.delete(key);
    }
  }

  #hear({ fact, atMs }: Relayed, offset: number, outbox: Outbox<PlannerOut>): void {
    if (fact.type === 'claim' || fact.type === 'judgement') return;
    if (fact.type === 'approve' || fact.type === 'deny') return this.#answer(fact, atMs, offset, outbox);
    if (fact.type !== 'outcome') return this.#obey(fact, atMs);
    const state = this.#environment(fact.target);
    const known = addOutcome(state, fact);
    if (known !== undefined) this.#step(fact.target, offset, outbox).report(known, fact);
  }

  /** Nobody needs to say of which environment a question is: its command's id is unique. */
  #answer(word: AnswerWord, atMs: number, offset: number, outbox: Outbox<PlannerOut>): void {
    for (const { scope } of this.#environments.values()) {
      if (scope.tenant === word.tenant) this.#step(scope, offset, outbox).answer(word, atMs);
    }
  }

  #obey(word: Exclude<ControlMessage, AnswerWord>, atMs: number): void {
    switch (word.type) {
      case 'pause':
        this.#resumedAtMs.set(word.tenant, null);
        return;
      case 'resume':
        this.#resumedAtMs.set(word.tenant, atMs);
        for (const state of this.#environments.values()) if (state.scope.tenant === word.tenant) seeFailures(state);
        return;
      case 'policy':
        this.#learnPolicy(word);
        return;
      case 'binding': {
        const { tenant, environment, service, target } = word;
        const { driver, name } = target;
        const state = this.#environment(word);
        state.bindings.set(service, { tenant, environment, driver, name });
        const others = state.unfenced.filter((each) => each !== service);
        state.unfenced = isUnfenced(target) ? [...others, service] : others;
        return;
      }
      case 'slo':
      case 'note':
      case 'feedback':
        return; // For others.
      case 'silence':
        addSilence(this.#environment(word), word, atMs);
        return;
      case 'unsilence': {
        const state = this.#environment(word);
        state.silences = state.silences.filter(({ silenceId }) => silenceId !== word.silenceId);
        return;
      }
      case 'freeze':
        addFreeze(this.#environment(word), word, atMs);
        return;
      case 'unfreeze': {
        const state = this.#environment(word);
        state.freezes = state.freezes.filter(({ freezeId }) => freezeId !== word.freezeId);
        return;
      }
      case 'topology':
        addEdges(this.#environment(word), word.edges);
        return;
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
      resumedAtMs: this.#resumedAtMs.get(scope.tenant) ?? null,
      generation: [this.#epoch, offset],
      say: {
        incident: (incident) => outbox.emit('flyball.incidents', scopeKey(scope), incident),
        command: (command) => outbox.emit('remediation.commands', targetKey(command.target), command),
        judgement: (judgement) => outbox.emit('remediation.outcomes', targetKey(judgement.target), judgement),
      },
    });
  }

  #environment(scope: Scope): EnvironmentState {
    const key = scopeKey(scope);
    const known = this.#environments.get(key) ?? newEnvironment(scope);
    this.#environments.set(key, known);
    return known;
  }

  snapshot(): Uint8Array {
    const policies = Object.values(this.#policies).map(({ text, digest, tenant, policy }) => {
      return { text, digest, tenant, name: policy.metadata.name };
    });
    const resumedAtMs = Object.fromEntries(this.#resumedAtMs);
    const state = { nowMs: this.#nowMs, epoch: this.#epoch, resumedAtMs, policies };
    const environments = [...this.#environments.values()].map(saveEnvironment);
    return encodeSnapshot({ ...state, frontier: this.#frontier.save(), held: this.#held.save(), environments });
  }

  restore(snapshot: Uint8Array): void {
    const saved = decodeSnapshot<Saved>(snapshot);
    this.#nowMs = saved.nowMs;
    this.#epoch = saved.epoch;
    this.#resumedAtMs = new Map(Object.entries(saved.resumedAtMs));
    this.#policies = {};
    for (const { text, digest, tenant, name } of saved.policies) {
      this.#policies[`${tenant} ${name}`] = { policy: parsePolicy(text), text, digest, tenant };
    }
    this.#frontier.restore(saved.frontier);
    this.#held.restore(saved.held);
    this.#environments = new Map(saved.environments.map((each) => [scopeKey(each.scope), restoreEnvironment(each)]));
  }
}

interface Saved {
  readonly nowMs: number;
  readonly epoch: number;
  readonly resumedAtMs: Record<string, number | null>;
  readonly policies: readonly { text: string; digest: string; tenant: string; name: string }[];
  readonly frontier: readonly (readonly [string, number | null])[];
  readonly held: readonly HeldItem[];
  readonly environments: readonly SavedEnvironment[];
}
