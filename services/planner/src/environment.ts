import { MINUTE_MS } from '@flyball/core';
import type { Assessment, ChangeWord, Command, Incident, Judgement, Outcome, Scope, Target } from '@flyball/contracts';

/** Most changes and finished commands that are remembered per environment. */
const REMEMBERED_MAX = 200;
/** A service of which no window came for so long is gone. */
const GONE_MS = 10 * MINUTE_MS;

/** A change event and when it was put on record. */
export interface KnownChange {
  readonly atMs: number;
  readonly word: ChangeWord;
}

/** A command of ours and what is known of it. Its state only moves forward. */
export interface KnownCommand {
  readonly command: Command;
  readonly targetKey: string;
  outcome: Outcome | null;
  judgement: Judgement['status'] | null;
  /** Healthy windows in a row since it was applied and settled. */
  healthyWindows: number;
  /** The SLI reading before it: share of failed requests. */
  readonly errorRatioBefore: number;
}

/** A service as the newest assessment shows it. */
interface KnownService {
  assessment: Assessment;
  /** End of the first of its present run of silent windows, ms; `null` while it is heard. */
  silentSinceMs: number | null;
}

/** Everything that the planner knows of one environment. Part of the snapshot. */
export interface EnvironmentState {
  readonly scope: Scope;
  /** By name. Names are the senders': a plain object would trip over `__proto__`. */
  readonly services: Map<string, KnownService>;
  changes: KnownChange[];
  readonly bindings: Map<string, Target>;
  commands: KnownCommand[];
  /** The incident that is open, if any. */
  incident: Incident | null;
  /** How many incidents there were: ids must differ also within one second. */
  incidentCount: number;
  /** Since when most of it has been silent, ms; `null` while it is not. */
  blindSinceMs: number | null;
  /** Healthy windows in a row, for closing the incident. */
  healthyWindows: number;
}

/** An environment of which nothing is known yet. */
export function newEnvironment(scope: Scope): EnvironmentState {
  return {
    scope: { tenant: scope.tenant, environment: scope.environment },
    services: new Map(),
    changes: [],
    bindings: new Map(),
    commands: [],
    incident: null,
    incidentCount: 0,
    blindSinceMs: null,
    healthyWindows: 0,
  };
}

/** An environment as it is saved. */
export type SavedEnvironment = Omit<EnvironmentState, 'services' | 'bindings'> & {
  readonly services: readonly (readonly [string, KnownService])[];
  readonly bindings: readonly (readonly [string, Target])[];
};

/** An environment for the snapshot. */
export function saveEnvironment(state: EnvironmentState): SavedEnvironment {
  return { ...state, services: [...state.services], bindings: [...state.bindings] };
}

/** What {@link saveEnvironment} saved. */
export function restoreEnvironment(saved: SavedEnvironment): EnvironmentState {
  return { ...saved, services: new Map(saved.services), bindings: new Map(saved.bindings) };
}

/** Forgets services that get no windows any more: who is gone must not count among those that are heard. */
export function forgetSilent(state: EnvironmentState, nowMs: number): void {
  for (const [service, { assessment }] of state.services) {
    if (assessment.endMs < nowMs - GONE_MS) state.services.delete(service);
  }
}

/** Whether nothing is known of an environment that was not also true of a new one. */
export function isForgettable({ services, bindings, changes, commands, incident }: EnvironmentState): boolean {
  return services.size + bindings.size + changes.length + commands.length === 0 && incident === null;
}

/** Takes in a change event. */
export function addChange(state: EnvironmentState, change: KnownChange): void {
  const isKnown = state.changes.some(({ word }) => word.changeId === change.word.changeId);
  if (!isKnown) state.changes = [...state.changes, change].slice(-REMEMBERED_MAX);
}

/** Takes in an assessment: the newest of its service. */
export function addAssessment(state: EnvironmentState, assessment: Assessment): void {
  const { service } = assessment.subject;
  const before = state.services.get(service);
  const silentSinceMs = assessment.isSilent ? (before?.silentSinceMs ?? assessment.endMs) : null;
  state.services.set(service, { assessment, silentSinceMs });
}

/** Takes in what became of a command. An older state never undoes a newer one. */
export function addOutcome(state: EnvironmentState, outcome: Outcome): KnownCommand | undefined {
  const known = state.commands.find(({ command }) => command.commandId === outcome.commandId);
  if (known === undefined || known.outcome !== null) return undefined;
  known.outcome = outcome;
  return known;
}

/** Takes in a command that was just issued. */
export function addCommand(state: EnvironmentState, command: KnownCommand): void {
  state.commands = [...state.commands, command].slice(-REMEMBERED_MAX);
}
