import type {
  AnomalyKind,
  Assessment,
  Cause,
  Incident,
  Sli,
  SliAssessment,
  VersionAssessment,
} from '@flyball/contracts';
import type { PlannerConfig } from './config.ts';
import type { EnvironmentState, KnownChange } from './environment.ts';
import { type Evidence, evidenceOf, reasonOf } from './evidence.ts';
import { calleesOf, reaches } from './graph.ts';
import { evidence } from './sentences.ts';

/** A cause with what the gates need to know of it. */
export interface Suspect {
  readonly cause: Omit<Cause, 'rank'>;
  readonly assessment: Assessment;
  /** The suspected version, where there is one. */
  readonly version: VersionAssessment | null;
  readonly sli: Sli;
  readonly reading: SliAssessment;
  /** When the suspected version came: its change event, else its first window. `null` without a version. */
  readonly cameAtMs: number | null;
  /** Onset of the fault of the service as a whole, `null` where it does not fail as a whole. */
  readonly serviceSinceMs: number | null;
}

/** A cause, with the case against it where something can be decided upon: a service that is known by metrics alone has none. */
export interface RankedCause {
  readonly cause: Omit<Cause, 'rank'>;
  readonly suspect: Suspect | null;
  /** Earliest onset of its evidence, ms. */
  readonly sinceMs: number;
}

/** A failing version outranks a failing service: it says what to do. */
const VERSION_FAILS = 1_000;
/** A change near the onset that the evidence does not speak against. */
const CHANGE_NEAR = 100;
const LOG10_E_MAX = 99;
/** What further evidence of a service adds to its strongest. */
const MORE_SHARE = 0.25;
/** What a symptom is worth beside a service's own trouble, and where something that it calls is in trouble too. */
const SYMPTOM_SHARE = 0.7;
const EXPLAINED_SHARE = 0.1;
/** Traffic changes with whatever happens: it is the least of all reasons. */
const TRAFFIC_SHARE = 0.05;
/** How much goes over a network changes with traffic; that it takes long, or that packets are lost, is told by others. */
const VOLUME_SHARE = 0.2;
/** Who began first is the likelier cause, where the rest is equal. */
const FIRST_BONUS = 1.15;
const REASONS_MAX = 5;

/**
 * Ranks what may have caused an incident: versions that fail where their control does not, and releases near the onset unless
 * something that is called explains it; then services by the evidence of
 * their own, with symptoms counted little where a callee explains them; among equals, the earlier onset.
 */
export function rankCauses(
  { signals }: Pick<Incident, 'signals'>,
  state: EnvironmentState,
  config: PlannerConfig,
): readonly RankedCause[] {
  const concerned = new Set(signals.map(({ subject }) => subject.service));
  const all = signals.map(evidenceOf);
  const versions = [...concerned].flatMap((service) => {
    const known = state.services.get(service);
    if (known === undefined) return [];
    return versionSuspects(known.assessment, state, config).filter(
      (suspect) => suspect.version?.verdict === 'fail' || !isExplainedBelow(suspect, all, state, config),
    );
  });
  const blamed = new Set(versions.map(({ cause }) => cause.subject.service));
  const ranked: RankedCause[] = [
    ...versions.map((suspect) => {
      return { cause: suspect.cause, suspect, sinceMs: suspect.reading.sinceMs ?? suspect.serviceSinceMs ?? Infinity };
    }),
    ...serviceCauses(all, state).filter(({ cause }) => !blamed.has(cause.subject.service)),
  ];
  return ranked.sort((a, b) => {
    if (a.cause.score !== b.cause.score) return b.cause.score - a.cause.score;
    if (a.sinceMs !== b.sinceMs) return a.sinceMs - b.sinceMs;
    return a.cause.subject.service < b.cause.subject.service ? -1 : 1;
  });
}

/**
 * Whether something that the service calls has trouble of its own that is as old: then a release near the onset is no more than
 * near.
 */
function isExplainedBelow(
  { cause: { subject }, serviceSinceMs }: Suspect,
  all: readonly Evidence[],
  { callers }: EnvironmentState,
  { vetoToleranceMs }: PlannerConfig,
): boolean {
  const { service } = subject;
  return all.some(
    ({ isLocal, kind, service: other, signal: { sinceMs } }) =>
      isLocal &&
      kind !== 'traffic' &&
      other !== service &&
      reaches(callers, service, other) &&
      sinceMs <= (serviceSinceMs ?? Infinity) + vetoToleranceMs,
  );
}

/** Services by their evidence. */
function serviceCauses(all: readonly Evidence[], state: EnvironmentState): RankedCause[] {
  const services = new Map<string, Evidence[]>();
  for (const each of all) services.set(each.service, [...(services.get(each.service) ?? []), each]);
  const firstMs = Math.min(...all.map(({ signal }) => signal.sinceMs));
  return [...services].map(([service, list]) => {
    const isExplained = calleesOf(state.callers, service).some((callee) => services.has(callee));
    const weigh = ({ strength, isLocal, kind, signal }: Evidence) => {
      if (kind === 'traffic') return strength * TRAFFIC_SHARE;
      if (kind === 'network' && signal.detector.startsWith('gauge')) return strength * VOLUME_SHARE;
      return strength * (isLocal ? 1 : isExplained ? EXPLAINED_SHARE : SYMPTOM_SHARE);
    };
    const sorted = [...list].sort((a, b) => weigh(b) - weigh(a) || (a.signal.series < b.signal.series ? -1 : 1));
    const [best, ...more] = sorted;
    const [second] = more.filter(({ kind, isLocal }) => kind !== best!.kind || isLocal !== best!.isLocal);
    const sinceMs = Math.min(...list.map(({ signal }) => signal.sinceMs));
    const score =
      (weigh(best!) + (second === undefined ? 0 : MORE_SHARE * weigh(second))) *
      (sinceMs === firstMs ? FIRST_BONUS : 1);
    const cause = {
      ...{ subject: best!.signal.subject, version: '', stableVersion: '', instance: instanceOf(sorted) },
      ...{ kind: best!.kind, score: rounded(score), reasons: sorted.slice(0, REASONS_MAX).map(reasonOf) },
    };
    return { cause, suspect: serviceSuspect(cause, state), sinceMs };
  });
}

/** The instance that all evidence with an instance comes down to, or ''. */
function instanceOf(list: readonly Evidence[]): string {
  return list.find(({ signal }) => signal.instance !== '')?.signal.instance ?? '';
}

function serviceSuspect(cause: Omit<Cause, 'rank'>, state: EnvironmentState): Suspect | null {
  const assessment = state.services.get(cause.subject.service)?.assessment;
  if (assessment === undefined) return null;
  const [sli, reading] = worstSli(assessment);
  const serviceSinceMs = reading.verdict === 'fail' ? reading.sinceMs : null;
  return { cause, assessment, version: null, sli, reading, cameAtMs: null, serviceSinceMs };
}

function versionSuspects(assessment: Assessment, state: EnvironmentState, config: PlannerConfig): Suspect[] {
  const [serviceSli, reading] = worstSli(assessment);
  const serviceSinceMs = reading.verdict === 'fail' ? reading.sinceMs : null;
  return assessment.versions.flatMap((version) => {
    if (version.role !== 'canary' || version.requests === 0) return [];
    const change = changeTo(state, assessment.subject.service, version.version);
    const isSuspect = version.verdict === 'fail' || (serviceSinceMs !== null && isNear(change, serviceSinceMs, config));
    return isSuspect ? [versionSuspect({ assessment, version, change, serviceSinceMs, serviceSli })] : [];
  });
}

interface VersionCase {
  readonly assessment: Assessment;
  readonly version: VersionAssessment;
  readonly change: KnownChange | undefined;
  readonly serviceSinceMs: number | null;
  /** What is worst about the service as a whole. */
  readonly serviceSli: Sli;
}

function versionSuspect({ assessment, version, change, serviceSinceMs, serviceSli }: VersionCase): Suspect {
  const { service } = assessment.subject;
  // A version that does not fail is looked at for what the service fails in.
  const [sli, reading] = version.verdict === 'fail' ? worstSli(version) : sliOf(version, serviceSli);
  const stable = assessment.versions.find(({ role }) => role === 'stable');
  const reasons = [evidence(`${service} ${version.version}`, sli, reading)];
  if (stable !== undefined && version.verdict === 'fail' && stable.errorsSli.verdict !== 'fail') {
    reasons.push(`${stable.version} serves the same traffic and does not show it`);
  }
  if (change !== undefined) reasons.push(`${change.word.kind} of ${version.version} is on record`);
  const kind: AnomalyKind = sli;
  const cause = {
    ...{ subject: assessment.subject, version: version.version, stableVersion: stable?.version ?? '' },
    ...{ instance: '', kind },
    score:
      (version.verdict === 'fail' ? VERSION_FAILS : CHANGE_NEAR) + Math.min(Math.max(0, reading.log10E), LOG10_E_MAX),
    reasons,
  };
  const cameAtMs = Math.min(change?.atMs ?? Infinity, version.firstSeenMs);
  return { cause, assessment, version, sli, reading, cameAtMs, serviceSinceMs };
}

/** The SLI with the strongest case against it: a failing one first. */
function worstSli(of: { errorsSli: SliAssessment; latencySli: SliAssessment }): readonly [Sli, SliAssessment] {
  const { errorsSli, latencySli } = of;
  const isLatency =
    (latencySli.verdict === 'fail' && errorsSli.verdict !== 'fail') ||
    (latencySli.verdict === errorsSli.verdict && latencySli.log10E > errorsSli.log10E);
  return isLatency ? ['latency', latencySli] : ['errors', errorsSli];
}

function sliOf(of: { errorsSli: SliAssessment; latencySli: SliAssessment }, sli: Sli): readonly [Sli, SliAssessment] {
  return [sli, sli === 'errors' ? of.errorsSli : of.latencySli];
}

function changeTo(state: EnvironmentState, service: string, version: string): KnownChange | undefined {
  return state.changes.findLast(({ word }) => word.service === service && word.version === version);
}

function isNear(change: KnownChange | undefined, sinceMs: number, { changeWindowMs }: PlannerConfig): boolean {
  return change !== undefined && Math.abs(change.atMs - sinceMs) <= changeWindowMs;
}

/** Kept to what people can read; sums of doubles in a fixed order are the same everywhere. */
function rounded(score: number): number {
  return Number(score.toPrecision(6));
}
