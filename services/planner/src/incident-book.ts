import type { Decision, Incident, Signal, TimelineEntry } from '@flyball/contracts';
import { contentId } from '@flyball/core';
import type { RankedCause } from './causes.ts';
import type { EnvironmentState, OpenIncident } from './environment.ts';
import { evidenceOf, reasonOf } from './evidence.ts';
import { reading } from './sentences.ts';

/** Bounds of one incident: it must stay readable, and fit a message. */
const CAUSES_MAX = 10;
const SIGNALS_MAX = 50;
/** Beyond so many decisions what is declined is not kept any more … */
const DECISIONS_MAX = 30;
/** … and beyond so many nothing else is, and so nothing is done or asked any more. */
const DECIDED_MAX = 100;
const TIMELINE_MAX = 200;

/** Opens an incident. */
export function openIncident(state: EnvironmentState, nowMs: number, startedAtMs: number, title: string): OpenIncident {
  state.incidentCount += 1;
  const { tenant, environment } = state.scope;
  const incident: Incident = {
    type: 'incident',
    incidentId: contentId('inc', [tenant, environment, state.incidentCount, Math.floor(startedAtMs)]),
    revision: 0,
    tenant,
    environment,
    status: 'open',
    resolution: null,
    startedAtMs,
    openedAtMs: nowMs,
    closedAtMs: null,
    silencedUntilMs: null,
    blindSinceMs: null,
    title,
    causes: [],
    signals: [],
    decisions: [],
    commandIds: [],
    timeline: [],
  };
  const open = { incident, healthyWindows: 0, heardAtMs: nowMs };
  state.incidents.push(open);
  return open;
}

/** Adds a line to an incident's story. */
export function tell(incident: Incident, atMs: number, kind: TimelineEntry['kind'], text: string): void {
  if (incident.timeline.length < TIMELINE_MAX) incident.timeline.push({ atMs, kind, text });
}

/** Takes in a signal: the newest of its episode stays; a new episode is told. */
export function addSignal(incident: Incident, signal: Signal): void {
  const place = incident.signals.findIndex(({ episodeId }) => episodeId === signal.episodeId);
  if (place >= 0) {
    incident.signals[place] = signal;
    return;
  }
  if (incident.signals.length < SIGNALS_MAX) incident.signals.push(signal);
  incident.startedAtMs = Math.min(incident.startedAtMs, signal.sinceMs);
  tell(incident, signal.endMs, 'signal', signalText(signal));
}

/** One line of a signal for people. */
export function signalText(signal: Signal): string {
  const { subject, version, sli, observed, expected, bad, requests } = signal;
  if (sli === null) return `${subject.service} ${reasonOf(evidenceOf(signal))}`;
  const what = `${subject.service}${version === '' ? '' : ` ${version}`} ${sli === 'errors' ? 'errors' : 'p95'}`;
  return `${what} ${reading(sli, observed)} against ${reading(sli, expected)} (${bad} of ${requests} requests)`;
}

/** Takes in the present ranking. Returns whether the first cause is another one than before. */
export function setCauses(incident: Incident, ranked: readonly RankedCause[]): boolean {
  const nameOf = (cause: { subject: { service: string }; version: string } | undefined) =>
    cause === undefined ? '' : `${cause.subject.service} ${cause.version}`;
  const before = nameOf(incident.causes[0]);
  if (ranked.length === 0) return false; // What is over still was the cause.
  incident.causes = ranked.slice(0, CAUSES_MAX).map(({ cause }, index) => ({ rank: index + 1, ...cause }));
  return nameOf(incident.causes[0]) !== before;
}

/** Takes in a decision, unless the one before it was the same in verdict and gates. Returns whether it is news. */
export function addDecision(incident: Incident, decision: Decision): boolean {
  const isKnown = incident.decisions.some(({ decisionId }) => decisionId === decision.decisionId);
  // An order follows only from a decision on record: what was declined before must not take its place.
  const max = decision.verdict === 'declined' ? DECISIONS_MAX : DECIDED_MAX;
  if (isKnown || incident.decisions.length >= max) return false;
  incident.decisions.push(decision);
  tell(incident, decision.atMs, 'decision', decision.sentence);
  return true;
}
