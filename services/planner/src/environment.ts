import { HOUR_MS, MINUTE_MS } from '@flyball/core';
import {
  type Assessment,
  Cause,
  type ChangeWord,
  type Command,
  type FreezeWord,
  Incident,
  type Judgement,
  type Outcome,
  type Scope,
  Signal,
  type SilenceWord,
  type Target,
} from '@flyball/contracts';

/** Most changes and finished commands that are remembered per environment. */
const REMEMBERED_MAX = 200;
/** Most commands also where gates want more of them; and the longest cooldown of a policy. */
const COMMANDS_MAX = 2_000;
const COOLDOWN_MAX_MS = 24 * HOUR_MS;
/** A service of which no window came for so long is gone. */
const GONE_MS = 10 * MINUTE_MS;
/** An episode whose end nobody told of is forgotten after so long. */
const EPISODE_MAX_MS = 6 * HOUR_MS;

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
  /** When its effect was undone at its end, ms; `null` while it was not. */
  revertedAtMs: number | null;
  /** Healthy windows in a row since it was applied and settled. */
  healthyWindows: number;
  /** The SLI reading before it: share of failed requests. */
  readonly errorRatioBefore: number;
  /**
   * Whether a person has said "resume" since it was known that it did not help, or that nobody knows. Missing while neither is
   * known, and in what releases before saved.
   */
  isSeen?: boolean;
  /** Whether it could not be judged in time: nobody knows whether it helped. A judgement that comes later counts all the same. */
  isGivenUp?: boolean;
}

/** A service as the newest assessment shows it. */
export interface KnownService {
  assessment: Assessment;
  /** End of the first of its present run of silent windows, ms; `null` while it is heard. */
  silentSinceMs: number | null;
  /** When the last incident that it signalled in was closed, ms. Missing before the first. */
  closedAtMs?: number;
}

/** Everything that the planner knows of one environment. Part of the snapshot. */
export interface EnvironmentState {
  readonly scope: Scope;
  /** By name. Names are the senders': a plain object would trip over `__proto__`. */
  readonly services: Map<string, KnownService>;
  changes: KnownChange[];
  readonly bindings: Map<string, Target>;
  /** Services whose target keeps no older effect from landing late. */
  unfenced: readonly string[];
  silences: readonly SilenceWord[];
  freezes: readonly FreezeWord[];
  commands: KnownCommand[];
  /** The incidents that are open, in the order in which they were opened. */
  incidents: OpenIncident[];
  /** Signals of what is off now, by episode; of SLIs the assessments tell. */
  readonly episodes: Map<string, Signal>;
  /** Who calls whom. */
  readonly callers: Map<string, readonly string[]>;
  /** How many incidents there were: ids must differ also within one second. */
  incidentCount: number;
  /** Since when most of it has been silent, ms; `null` while it is not. */
  blindSinceMs: number | null;
}

/** An incident that is not closed. */
export interface OpenIncident {
  readonly incident: Incident;
  /** Instants in a row in which all that it concerns was well. */
  healthyWindows: number;
  /** When one of the services that it concerns was last heard, or signalled, ms. */
  heardAtMs: number;
}

/** An environment of which nothing is known yet. */
export function newEnvironment(scope: Scope): EnvironmentState {
  return {
    scope: { tenant: scope.tenant, environment: scope.environment },
    services: new Map(),
    changes: [],
    bindings: new Map(),
    unfenced: [],
    silences: [],
    freezes: [],
    commands: [],
    incidents: [],
    episodes: new Map(),
    callers: new Map(),
    incidentCount: 0,
    blindSinceMs: null,
  };
}

/** An environment as it is saved. */
export type SavedEnvironment = Omit<EnvironmentState, MapField> & {
  readonly [Field in MapField]: EnvironmentState[Field] extends Map<string, infer Value>
    ? readonly (readonly [string, Value])[]
    : never;
};
type MapField = 'services' | 'bindings' | 'episodes' | 'callers';

/** An environment for the snapshot. */
export function saveEnvironment(state: EnvironmentState): SavedEnvironment {
  const { services, bindings, episodes, callers } = state;
  const maps = { services: [...services], bindings: [...bindings], episodes: [...episodes], callers: [...callers] };
  return { ...state, ...maps };
}

/** An environment as releases up to line 3 saved it: with one incident at most. */
interface SavedEnvironment3 {
  readonly incident?: Incident | null;
  readonly healthyWindows?: number;
}

/** What {@link saveEnvironment} saved, in this release or in one before. */
export function restoreEnvironment(from: SavedEnvironment | SavedEnvironment3): EnvironmentState {
  const several = 'incidents' in from ? from : withSeveralIncidents(from);
  const saved = 'unfenced' in several ? several : withEnds(several);
  const { services, bindings, episodes, callers } = saved;
  const maps = { services: new Map(services), bindings: new Map(bindings) };
  return { ...saved, ...maps, episodes: new Map(episodes), callers: new Map(callers) };
}

function withSeveralIncidents({ incident = null, healthyWindows = 0, ...saved }: SavedEnvironment3): SavedEnvironment {
  const heardAtMs = incident?.openedAtMs ?? 0;
  const signals = incident?.signals.map((signal) => Signal.parse(signal)) ?? [];
  const causes = incident?.causes.map((cause) => Cause.parse(cause)) ?? [];
  const incidents =
    incident === null ? [] : [{ incident: { ...incident, signals, causes }, healthyWindows, heardAtMs }];
  return { ...(saved as SavedEnvironment), incidents, episodes: [], callers: [] };
}

/** Before there were effects that end, approvals, silences and freezes: all was for good, and of nobody's approval. */
function withEnds(saved: SavedEnvironment): SavedEnvironment {
  const endless = { ttlMs: null, inverse: null, release: 'step' as const, approval: null };
  const commands = saved.commands.map((known) => {
    return { ...known, revertedAtMs: null, command: { ...endless, ...(known.command as Partial<Command>) } as Command };
  });
  const incidents = saved.incidents.map((open) => ({ ...open, incident: Incident.parse(open.incident) }));
  return { ...saved, unfenced: [], silences: [], freezes: [], commands, incidents };
}

/** Forgets services that get no windows any more: who is gone must not count among those that are heard. */
export function forgetSilent(state: EnvironmentState, nowMs: number): void {
  for (const [service, { assessment }] of state.services) {
    if (assessment.endMs < nowMs - GONE_MS) state.services.delete(service);
  }
  for (const [episodeId, { endMs }] of state.episodes)
    if (endMs < nowMs - EPISODE_MAX_MS) state.episodes.delete(episodeId);
}

/** Whether nothing is known of an environment that was not also true of a new one. */
export function isForgettable(state: EnvironmentState): boolean {
  const { services, bindings, changes, commands, silences, freezes, incidents, episodes, callers } = state;
  const maps = services.size + bindings.size + episodes.size + callers.size;
  const lists = [changes, commands, silences, freezes, incidents];
  return maps + lists.reduce((sum, { length }) => sum + length, 0) === 0;
}

/** Takes in a change event. */
export function addChange(state: EnvironmentState, change: KnownChange): void {
  const isKnown = state.changes.some(({ word }) => word.changeId === change.word.changeId);
  if (!isKnown) state.changes = [...state.changes, change].slice(-REMEMBERED_MAX);
}

/** Takes in who calls whom. */
export function addEdges({ callers }: EnvironmentState, edges: readonly { caller: string; callee: string }[]): void {
  for (const { caller, callee } of edges) {
    callers.set(callee, [...new Set([...(callers.get(callee) ?? []), caller])].sort());
  }
}

/** Takes in an assessment: the newest of its service. */
export function addAssessment(state: EnvironmentState, assessment: Assessment): void {
  const { service } = assessment.subject;
  const before = state.services.get(service);
  const silentSinceMs = assessment.isSilent ? (before?.silentSinceMs ?? assessment.endMs) : null;
  const closedAtMs = before?.closedAtMs;
  state.services.set(service, { assessment, silentSinceMs, ...(closedAtMs !== undefined && { closedAtMs }) });
}

/** Takes in what became of a command. An older state never undoes a newer one. */
export function addOutcome(state: EnvironmentState, outcome: Outcome): KnownCommand | undefined {
  const known = state.commands.find(({ command }) => command.commandId === outcome.commandId);
  if (known === undefined) return undefined;
  if (outcome.status === 'reverted') {
    if (known.revertedAtMs !== null) return undefined;
    known.revertedAtMs = outcome.atMs;
    return known;
  }
  if (known.outcome !== null) return undefined;
  known.outcome = outcome;
  if (outcome.status === 'unknown') known.isSeen = false;
  return known;
}

/** A person has said that automation may act again: whatever had failed by then was looked at. */
export function seeFailures(state: EnvironmentState): void {
  for (const known of state.commands) if (known.isSeen === false) known.isSeen = true;
}

/** Whether a command's effect is in force, and will end by itself. */
export function isInForce({ command, outcome, revertedAtMs }: KnownCommand): boolean {
  const hasEffect = outcome?.status === 'applied' || outcome?.status === 'unknown';
  return command.ttlMs !== null && hasEffect && revertedAtMs === null;
}

/** Whether nothing more can come of a command: it was judged, or cannot be, and what it did is for good, or was undone. */
export function isOver(known: KnownCommand): boolean {
  const { outcome, judgement, isGivenUp = false } = known;
  return outcome !== null && (outcome.status !== 'applied' || judgement !== null || isGivenUp) && !isInForce(known);
}

/**
 * Takes in a command that was just issued. Of too many those go first that no gate asks for any more: a cooldown lasts a day at
 * most; what is under way, and what a person has to look at, stays.
 */
export function addCommand(state: EnvironmentState, command: KnownCommand): void {
  const isWanted = (known: KnownCommand) =>
    !isOver(known) || known.isSeen === false || known.command.issuedAtMs > command.command.issuedAtMs - COOLDOWN_MAX_MS;
  let excess = state.commands.length + 1 - REMEMBERED_MAX;
  const kept = state.commands.filter((known) => {
    if (excess <= 0 || isWanted(known)) return true;
    excess -= 1;
    return false;
  });
  state.commands = [...kept, command].slice(-COMMANDS_MAX);
}
