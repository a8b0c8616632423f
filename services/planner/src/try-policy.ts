import type { Assessment, Command, Outcome, SliAssessment } from '@flyball/contracts';
import { MINUTE_MS, SECOND_MS } from '@flyball/core';
import { type Policy, policyDigest } from '@flyball/policy';
import { candidateOf } from './candidates.ts';
import type { Suspect } from './causes.ts';
import type { PlannerConfig } from './config.ts';
import { decide } from './decide.ts';
import { type EnvironmentState, newEnvironment } from './environment.ts';
import { openIncident } from './incident-book.ts';
import type { Given } from './policy-cases.ts';

const TENANT = 'default';
const WINDOW_MS = 10 * SECOND_MS;

/** What a policy says of a case: `unmatched` when it is not for such a suspect; and the gates that refuse. */
export interface Tried {
  readonly verdict: string;
  readonly gates: readonly string[];
  readonly sentence: string;
}

/** Shows a policy one case, by the very code that decides in operation. */
export function tryPolicy(policy: Policy, text: string, given: Given, config: PlannerConfig): Tried {
  const nowMs = Date.parse(given.at);
  const state = stateOf(given, policy, nowMs);
  const suspect = suspectOf(given, policy, nowMs);
  const candidate = candidateOf(policy, suspect);
  if (candidate === undefined)
    return { verdict: 'unmatched', gates: [], sentence: 'the policy is not for such a suspect' };
  const { incident } = openIncident(state, nowMs, nowMs, 'case');
  const resumedAtMs = given.state.isPaused ? null : 0;
  const occasion = { nowMs, resumedAtMs, incident, generation: [0, 0] as const };
  const { decision } = decide({ policy, digest: policyDigest(text) }, candidate, occasion, { state, config });
  const refused = decision.gates.filter(({ passed }) => !passed).map(({ gate }) => gate);
  return { verdict: decision.verdict, gates: refused, sentence: decision.sentence };
}

function subjectOf({ environment, service }: Given) {
  return { tenant: TENANT, environment, service: service.name };
}

function sliOf({ cause }: Given, sinceMs: number): SliAssessment {
  const { verdict, log10E, observed, expected, requests, bad } = cause;
  const reason = verdict === 'fail' ? 'regressed' : verdict === 'pass' ? 'healthy' : 'undecided';
  const numbers = { observed, expected, log10E, bad, requests, controlBad: 0, controlRequests: 0 };
  return { verdict, reason, ...numbers, sinceMs: verdict === 'fail' ? sinceMs : null };
}

const WELL: SliAssessment = {
  ...{ verdict: 'pass', reason: 'healthy', observed: 0, expected: 0, log10E: 0 },
  ...{ bad: 0, requests: 0, controlBad: 0, controlRequests: 0, sinceMs: null },
};

function assessmentOf(given: Given, endMs: number, slis: Pick<Assessment, 'errorsSli' | 'latencySli'>): Assessment {
  const { service, state } = given;
  const { requests, errorRatio, p95Ms } = service;
  return {
    ...{ type: 'assessment', subject: subjectOf(given), startMs: endMs - WINDOW_MS, endMs, coverage: state.coverage },
    ...{ requests, errors: Math.round(requests * errorRatio), p50Ms: p95Ms / 2, p95Ms, isSilent: false },
    baseline: {
      ...{ state: 'learned', errorRatio: service.baselineErrorRatio },
      ...{ p95Ms: service.baselineP95Ms, requests: service.baselineRequests },
    },
    ...slis,
    versions: [],
  };
}

function suspectOf(given: Given, policy: Policy, nowMs: number): Suspect {
  const { cause: of, state } = given;
  const endMs = nowMs - state.evidenceAgeSeconds * SECOND_MS;
  const cameAtMs = nowMs - of.ageSeconds * SECOND_MS;
  const reading = sliOf(given, cameAtMs);
  const own = of.sli === 'errors' ? { errorsSli: reading, latencySli: WELL } : { errorsSli: WELL, latencySli: reading };
  const kind = policy.spec.match.cause;
  const isService = kind === 'service';
  const serviceSinceMs = isService ? cameAtMs : of.leadSeconds > 0 ? cameAtMs - of.leadSeconds * SECOND_MS : null;
  const assessment = assessmentOf(given, endMs, isService ? own : { errorsSli: WELL, latencySli: WELL });
  const counts = { requests: of.requests, errors: of.bad, p95Ms: given.service.p95Ms, verdict: of.verdict, ...own };
  if (kind === 'instance') assessment.instances = [{ instance: of.instance, ...counts }];
  const version = {
    ...{ version: of.version, role: 'canary' as const, firstSeenMs: cameAtMs },
    ...{ trafficRatio: of.trafficRatio, ...counts },
  };
  const cause = {
    ...{
      subject: assessment.subject,
      version: '',
      stableVersion: '',
      instance: '',
      kind: of.sli,
      score: 0,
      reasons: [],
    },
    ...(kind === 'version' && { version: of.version, stableVersion: of.stableVersion }),
  };
  const about = { cause, assessment, sli: of.sli, reading, serviceSinceMs };
  return { ...about, version: kind === 'version' ? version : null, cameAtMs: kind === 'version' ? cameAtMs : null };
}

function stateOf(given: Given, policy: Policy, nowMs: number): EnvironmentState {
  const { environment, service, state: of } = given;
  const state = newEnvironment({ tenant: TENANT, environment });
  const target = { tenant: TENANT, environment, driver: 'test', name: service.name };
  if (of.isBound) state.bindings.set(service.name, target);
  if (!of.isFenced) state.unfenced = [service.name];
  if (of.isBlind) state.blindSinceMs = nowMs;
  const word = {
    wordId: 'case',
    actor: 'case',
    tenant: TENANT,
    environment,
    reason: 'case',
    untilMs: nowMs + MINUTE_MS,
  };
  if (of.isSilenced) state.silences = [{ type: 'silence', ...word, silenceId: 'case', service: service.name }];
  if (of.isFrozen) state.freezes = [{ type: 'freeze', ...word, freezeId: 'case', fromMs: nowMs }];
  const failing: SliAssessment = { ...WELL, verdict: 'fail', reason: 'regressed', sinceMs: nowMs };
  for (let index = 0; index < of.services; index += 1) {
    const errorsSli = index < of.failingServices ? failing : WELL;
    const assessment = assessmentOf(given, nowMs, { errorsSli, latencySli: WELL });
    state.services.set(`service-${index}`, { assessment, silentSinceMs: null });
  }
  if (of.lastAction !== undefined) state.commands = [lastAction(given, policy, nowMs)];
  return state;
}

function lastAction({ environment, service, state }: Given, policy: Policy, nowMs: number) {
  const { secondsAgo, judgement } = state.lastAction!;
  const issuedAtMs = nowMs - secondsAgo * SECOND_MS;
  const about = { name: policy.metadata.name, version: policy.metadata.version, digest: '' };
  return {
    command: { commandId: 'c-before', issuedAtMs, ttlMs: null, policy: about } as Command,
    targetKey: [TENANT, environment, 'test', service.name].map(encodeURIComponent).join('/'),
    outcome: { status: 'applied' } as Outcome,
    ...{ judgement, revertedAtMs: null, healthyWindows: 0, errorRatioBefore: 0 },
  };
}
