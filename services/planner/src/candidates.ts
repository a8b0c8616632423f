import type { Action, InstanceAssessment, Sli, SliAssessment, Verdict } from '@flyball/contracts';
import type { Policy } from '@flyball/policy';
import type { Suspect } from './causes.ts';

/** A suspect as a policy sees it: what may be done to it, how sure it is, and how much that would touch. */
export interface Candidate {
  readonly kind: Policy['spec']['match']['cause'];
  readonly suspect: Suspect;
  /** The instance that is suspected, or ''. */
  readonly instance: string;
  readonly sli: Sli;
  readonly reading: SliAssessment;
  readonly verdict: Verdict;
  /** `null` where nothing can be done: no version is known to go back to. */
  readonly action: Action | null;
  /** Share of the service's traffic that the action touches, 0 to 1. */
  readonly blastRatio: number;
}

/**
 * What a policy may do to the first suspect of an incident, if it is for its kind; `undefined` if it is not. Whoever is further
 * down may be a victim of the first.
 */
export function candidateOf({ spec }: Policy, suspect: Suspect): Candidate | undefined {
  const { action, match } = spec;
  const candidate = versionOf(suspect) ?? instanceOf(suspect) ?? serviceOf(suspect, action);
  return candidate?.kind === match.cause && match.slis.includes(candidate.sli) ? candidate : undefined;
}

function versionOf(suspect: Suspect): Candidate | undefined {
  const { cause, version, sli, reading } = suspect;
  if (version === null) return undefined;
  const { verdict, trafficRatio: blastRatio } = version;
  const back = { type: 'rollback' as const, fromVersion: version.version, toVersion: cause.stableVersion };
  const action = cause.stableVersion === '' ? null : back;
  return { kind: 'version', suspect, instance: '', sli, reading, verdict, action, blastRatio };
}

function instanceOf(suspect: Suspect): Candidate | undefined {
  const { instances = [], requests } = suspect.assessment;
  const bad = worstInstance(instances);
  if (bad === undefined) return undefined;
  const { instance, verdict } = bad;
  const [sli, reading] = worstOf(bad);
  const blastRatio = requests === 0 ? 1 : Math.min(1, bad.requests / requests);
  const action = { type: 'isolate' as const, instance };
  return { kind: 'instance', suspect, instance, sli, reading, verdict, action, blastRatio };
}

/** A service that does not fail any more is still the cause, but nothing needs to be done about it. */
function serviceOf(suspect: Suspect, action: Policy['spec']['action']): Candidate | undefined {
  const { sli, reading, assessment } = suspect;
  if (reading.verdict !== 'fail') return undefined;
  const about = { kind: 'service' as const, suspect, instance: '', sli, reading, verdict: reading.verdict };
  if (action.type !== 'throttle') return { ...about, action: null, blastRatio: 1 };
  const { type, limit } = action;
  const perSecond = assessment.requests / ((assessment.endMs - assessment.startMs) / 1_000);
  const keptRatio = limit.kind === 'ratio' ? limit.value : limit.value / Math.max(limit.value, perSecond);
  return { ...about, action: { type, limit }, blastRatio: 1 - keptRatio };
}

/** The failing instance with the strongest case against it. Several of them are no matter of an instance. */
function worstInstance(instances: readonly InstanceAssessment[]): InstanceAssessment | undefined {
  const failing = instances.filter(({ verdict }) => verdict === 'fail');
  return failing.length === 1 ? failing[0] : undefined;
}

function worstOf({ errorsSli, latencySli }: InstanceAssessment): readonly [Sli, SliAssessment] {
  const isErrors =
    errorsSli.verdict === 'fail' && (latencySli.verdict !== 'fail' || errorsSli.log10E >= latencySli.log10E);
  return isErrors ? ['errors', errorsSli] : ['latency', latencySli];
}
