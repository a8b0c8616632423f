import type { Assessment, Cause, Sli, SliAssessment, VersionAssessment } from '@flyball/contracts';
import type { PlannerConfig } from './config.ts';
import type { EnvironmentState, KnownChange } from './environment.ts';
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

/** A failing version outranks a failing service: it says what to do. */
const VERSION_FAILS = 1_000;
/** A change near the onset that the evidence does not speak against. */
const CHANGE_NEAR = 100;
const LOG10_E_MAX = 99;

/**
 * Ranks what may have caused the present trouble: versions that fail where their control does not, then services
 * with a change near the onset, then failing services; among equals, the stronger evidence, then the earlier onset.
 */
export function rankSuspects(state: EnvironmentState, config: PlannerConfig): readonly Suspect[] {
  const suspects = [...state.services.values()].flatMap(({ assessment }) => suspectsOf(assessment, state, config));
  return suspects.sort((a, b) => {
    if (a.cause.score !== b.cause.score) return b.cause.score - a.cause.score;
    const onset = (a.reading.sinceMs ?? Infinity) - (b.reading.sinceMs ?? Infinity);
    if (onset !== 0 && !Number.isNaN(onset)) return onset;
    return a.cause.subject.service < b.cause.subject.service ? -1 : 1;
  });
}

function suspectsOf(assessment: Assessment, state: EnvironmentState, config: PlannerConfig): Suspect[] {
  const [sli, reading] = worstSli(assessment);
  const serviceSinceMs = reading.verdict === 'fail' ? reading.sinceMs : null;
  const suspects: Suspect[] = [];
  for (const version of assessment.versions) {
    if (version.role !== 'canary' || version.requests === 0) continue;
    const change = changeTo(state, assessment.subject.service, version.version);
    const isSuspect = version.verdict === 'fail' || (serviceSinceMs !== null && isNear(change, serviceSinceMs, config));
    if (isSuspect) suspects.push(versionSuspect({ assessment, version, change, serviceSinceMs, serviceSli: sli }));
  }
  if (reading.verdict === 'fail' && suspects.length === 0) {
    const cause = {
      subject: assessment.subject,
      version: '',
      stableVersion: '',
      score: Math.min(reading.log10E, LOG10_E_MAX),
      reasons: [evidence(assessment.subject.service, sli, reading)],
    };
    suspects.push({ cause, assessment, version: null, sli, reading, cameAtMs: null, serviceSinceMs });
  }
  return suspects;
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
  const cause = {
    subject: assessment.subject,
    version: version.version,
    stableVersion: stable?.version ?? '',
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
