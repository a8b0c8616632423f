import type { Incident } from '@flyball/contracts';
import { sha256Hex } from '@flyball/core';

/** How bad an incident is for users. Never falls while an incident is open. */
export type Severity = 'critical' | 'warning';

/** What a connection is told. */
export interface Notice {
  /** What it is to this connection: one that was never told of an incident is told that it opened. */
  readonly event: 'opened' | 'changed' | 'closed';
  readonly incident: Incident;
  readonly severity: Severity;
  /** As it was told last; `undefined` when it never was. */
  readonly before: Told | undefined;
}

/** What a connection was told last of an incident. */
export interface Told {
  readonly incidentId: string;
  readonly revision: number;
  readonly severity: Severity;
  /** Service that was blamed; '' while none was. */
  readonly service: string;
  /** Digest of {@link factsOf}. */
  readonly facts: string;
  readonly isOpen: boolean;
  /** Whether it is silenced by now: then it is not repeated. */
  readonly isSilenced: boolean;
  /** Where the revision is in its partition: it is kept for ever. */
  readonly offset: number;
}

/** Requests fail or nothing answers, nobody can see, or what we did made it worse: critical. All else is a warning. */
export function severityOf({ signals, resolution }: Incident, before: Severity | undefined): Severity {
  const fails = signals.some(({ sli, kind }) => sli === 'errors' || kind === 'errors' || kind === 'availability');
  // An incident without a signal is one of blindness.
  const isCritical = fails || signals.length === 0 || resolution === 'harmful';
  return isCritical || before === 'critical' ? 'critical' : 'warning';
}

/** Digest of what people want to be told of. More evidence for the same is no news. */
export function factsOf(incident: Incident, severity: Severity): string {
  const { status, resolution, causes, decisions, commandIds, blindSinceMs } = incident;
  const [cause] = causes;
  const blamed = cause === undefined ? [] : [cause.subject.service, cause.version, cause.instance];
  // What is declined is declined at every instant: the count of it is not news.
  const decided = decisions
    .filter(({ verdict }) => verdict !== 'declined')
    .map((each) => [each.decisionId, each.verdict]);
  const judged = incident.timeline.filter(({ kind }) => kind === 'outcome' || kind === 'judgement').length;
  const facts = [status, resolution, severity, blamed, decided, judged, commandIds, blindSinceMs !== null];
  return sha256Hex(JSON.stringify(facts));
}

/** The service that an incident is named by; '' when it is about none. */
export function serviceOf(incident: Incident): string {
  return servicesOf(incident)[0] ?? '';
}

/** What receivers drop repeats by. */
export function dedupeKey({ incidentId, revision }: Pick<Incident, 'incidentId' | 'revision'>): string {
  return `${incidentId}/${revision}`;
}

/** Services that an incident is about: the one that is blamed first, then those that signal. */
export function servicesOf({ causes, signals }: Incident): readonly string[] {
  const blamed = causes.slice(0, 1).map(({ subject }) => subject.service);
  return [...new Set([...blamed, ...signals.map(({ subject }) => subject.service)])];
}
