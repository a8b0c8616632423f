import type { Assessment, ChangeWord, Command, Incident, Judgement, Outcome, Scope, Target } from '@flyball/contracts';

/** Most changes and finished commands that are remembered per environment. */
const REMEMBERED_MAX = 200;

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

/** Everything that the planner knows of one environment. Plain data: it is a part of the snapshot. */
export interface EnvironmentState {
  readonly scope: Scope;
  services: Record<string, KnownService>;
  changes: KnownChange[];
  bindings: Record<string, Target>;
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
    services: {},
    changes: [],
    bindings: {},
    commands: [],
    incident: null,
    incidentCount: 0,
    blindSinceMs: null,
    healthyWindows: 0,
  };
}

/** Takes in a change event. */
export function addChange(state: EnvironmentState, change: KnownChange): void {
  const isKnown = state.changes.some(({ word }) => word.changeId === change.word.changeId);
  if (!isKnown) state.changes = [...state.changes, change].slice(-REMEMBERED_MAX);
}

/** Takes in an assessment: the newest of its service. */
export function addAssessment(state: EnvironmentState, assessment: Assessment): void {
  const { service } = assessment.subject;
  const before = state.services[service];
  const silentSinceMs = assessment.isSilent ? (before?.silentSinceMs ?? assessment.endMs) : null;
  state.services[service] = { assessment, silentSinceMs };
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
