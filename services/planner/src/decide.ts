import {
  actionText,
  type Approval,
  type Command,
  commandDigest,
  type Decision,
  type GateResult,
  type Incident,
  inverseOf,
  type Order,
  type Target,
  targetKey,
} from '@flyball/contracts';
import { contentId, SECOND_MS } from '@flyball/core';
import { evaluate, type Policy, type PolicyInputs } from '@flyball/policy';
import { approvalOf } from './approvals.ts';
import type { Candidate } from './candidates.ts';
import type { PlannerConfig } from './config.ts';
import type { EnvironmentState } from './environment.ts';
import { askGates } from './gates.ts';
import { evidence, reading, seconds } from './sentences.ts';

/** A policy as it was put on record. */
export interface KnownPolicy {
  readonly policy: Policy;
  readonly digest: string;
}

/** Where and when a decision is made. */
export interface Occasion {
  readonly nowMs: number;
  /** When a person last said that automation may act, ms; `null` while it is paused. */
  readonly resumedAtMs: number | null;
  readonly incident: Incident;
  /** Lane epoch and offset of what is being processed: the command's generation. */
  readonly generation: readonly [number, number];
}

/** A decision, and the command that follows if every gate has passed. */
export interface Decided {
  readonly decision: Decision;
  readonly command: Command | undefined;
}

const BISECTIONS = 40;

/** Considers acting on a suspect under a policy. Every gate is asked; a command follows if all pass. */
export function decide(
  known: KnownPolicy,
  candidate: Candidate,
  occasion: Occasion,
  { state, config }: { state: EnvironmentState; config: PlannerConfig },
): Decided {
  const { policy, digest } = known;
  const { cause, cameAtMs } = candidate.suspect;
  const { tenant, environment, service } = cause.subject;
  const target = state.bindings.get(service);
  const key = target === undefined ? null : targetKey(target);
  const { nowMs, incident } = occasion;
  const action = textOf(candidate, policy);
  const inputs = inputsOf(candidate, nowMs);
  const episode = Math.floor(candidate.reading.sinceMs ?? cameAtMs ?? 0);
  const commandId = contentId('c', [tenant, environment, key ?? service, action, episode, digest]);
  const about = { name: policy.metadata.name, version: policy.metadata.version, digest };
  const order = target && orderOf({ commandId, target, candidate, policy, about, incidentId: incident.incidentId });
  const orderDigest = order === undefined ? '' : commandDigest(order);
  const approval = approvalOf(incident, commandId);
  const proposal = {
    ...{ ...occasion, policy, candidate, commandId, targetKey: key, approval, orderDigest },
    ...{ evaluation: evaluate(policy, inputs), isFenced: !state.unfenced.includes(service) },
  };
  const gates = [...askGates(proposal, state, config)];
  const refused = gates.filter(({ passed }) => !passed).map(({ gate }) => gate);
  const verdict = order === undefined && refused.length === 0 ? 'declined' : verdictOf(refused, approval);
  const asks = verdict === 'pending' && approval === undefined;
  const decision: Decision = {
    decisionId: contentId('d', [commandId, incident.incidentId, refused.join(' '), verdict]),
    atMs: nowMs,
    policy: about,
    action,
    verdict,
    gates,
    sentence: sentenceOf(candidate, action, refused),
    counterfactual: counterfactual(policy, inputs, refused),
    commandId: verdict === 'acted' ? commandId : '',
    approval: asks ? questionOf({ commandId, digest: orderDigest, candidate, policy, gates, nowMs }) : null,
  };
  if (verdict !== 'acted' || order === undefined) return { decision, command: undefined };
  return { decision, command: commandOf({ order, decision, approval, occasion }, policy, config) };
}

/** A command follows when nobody refuses; a question, when only a person's answer is missing. */
function verdictOf(refused: readonly string[], approval: Approval | undefined): Decision['verdict'] {
  if (refused.length === 0) return 'acted';
  if (refused.length > 1) return 'declined';
  if (refused[0] === 'autonomy') return 'suggested';
  const isOpen = approval === undefined || approval.status === 'pending';
  return refused[0] === 'approval' && isOpen ? 'pending' : 'declined';
}

/** What would be done, for people; it is a part of a command's identity. */
function textOf({ action, suspect: { cause } }: Candidate, { spec }: Policy): string {
  const { service } = cause.subject;
  if (action !== null) return actionText(action, service);
  if (spec.action.type !== 'rollback') return `${spec.action.type} ${service}`;
  return actionText({ type: 'rollback', fromVersion: cause.version, toVersion: cause.stableVersion }, service);
}

interface OrderParts {
  readonly commandId: string;
  readonly target: Target;
  readonly candidate: Candidate;
  readonly policy: Policy;
  readonly about: Command['policy'];
  readonly incidentId: string;
}

/** What is to be done, complete; `undefined` where nothing can be. */
function orderOf({ commandId, target, candidate, policy, about, incidentId }: OrderParts): Order | undefined {
  const { action, suspect } = candidate;
  if (action === null) return undefined;
  const as = policy.spec.action;
  const ttlSeconds = as.type === 'rollback' ? undefined : as.ttlSeconds;
  const ttlMs = ttlSeconds === undefined ? null : ttlSeconds * SECOND_MS;
  const release = as.type === 'throttle' ? as.release : 'step';
  const what = { action, ttlMs, inverse: inverseOf(action), release };
  return { commandId, target, subject: suspect.cause.subject, ...what, incidentId, policy: about };
}

interface Question {
  readonly commandId: string;
  readonly digest: string;
  readonly candidate: Candidate;
  readonly policy: Policy;
  readonly gates: readonly GateResult[];
  readonly nowMs: number;
}

function questionOf({ commandId, digest, candidate, policy, gates, nowMs }: Question): Approval {
  const { suspect, blastRatio } = candidate;
  const conditions = gates.find(({ gate }) => gate === 'policy_condition')?.detail ?? '';
  return {
    commandId,
    digest,
    status: 'pending',
    service: suspect.cause.subject.service,
    requestedAtMs: nowMs,
    expiresAtMs: nowMs + policy.spec.approval.expiresSeconds * SECOND_MS,
    evidence: [...suspect.cause.reasons, conditions].filter((text) => text !== ''),
    blast: { trafficRatio: blastRatio, services: [suspect.cause.subject.service] },
    ...{ actor: '', wordId: '', answeredAtMs: null },
  };
}

interface Issue {
  readonly order: Order;
  readonly decision: Decision;
  readonly approval: Approval | undefined;
  readonly occasion: Occasion;
}

function commandOf({ order, decision, approval, occasion }: Issue, policy: Policy, config: PlannerConfig): Command {
  const waitMs = Math.min(config.commandTtlMs, policy.spec.ttlSeconds * SECOND_MS);
  const { decisionId, sentence, counterfactual: whatIf, gates } = decision;
  const grant = approval && {
    ...{ wordId: approval.wordId, actor: approval.actor, digest: approval.digest },
    atMs: approval.answeredAtMs ?? occasion.nowMs,
  };
  return {
    type: 'command',
    ...order,
    generation: [occasion.generation[0], occasion.generation[1]],
    issuedAtMs: occasion.nowMs,
    expiresAtMs: occasion.nowMs + waitMs,
    decision: { decisionId, sentence, counterfactual: whatIf, gates },
    approval: grant ?? null,
  };
}

/** What a policy's conditions see. */
function inputsOf(candidate: Candidate, nowMs: number): PolicyInputs {
  const { kind, instance, sli, reading: of, verdict, suspect } = candidate;
  const { cause, version, assessment, cameAtMs } = suspect;
  const { errorsSli, latencySli, baseline } = assessment;
  const isFailing = errorsSli.verdict === 'fail' || latencySli.verdict === 'fail';
  return {
    cause: {
      kind,
      version: cause.version,
      instance,
      stableVersion: cause.stableVersion,
      sli,
      verdict,
      log10E: of.log10E,
      observed: of.observed ?? 0,
      expected: of.expected ?? 0,
      requests: of.requests,
      bad: of.bad,
      trafficRatio: version?.trafficRatio ?? 1,
      ageSeconds: cameAtMs === null ? 0 : (nowMs - cameAtMs) / 1_000,
    },
    service: {
      name: assessment.subject.service,
      environment: assessment.subject.environment,
      verdict: isFailing ? 'fail' : errorsSli.verdict,
      errorRatio: assessment.requests === 0 ? 0 : assessment.errors / assessment.requests,
      baselineErrorRatio: baseline.errorRatio ?? 0,
      p95Ms: assessment.p95Ms ?? 0,
      baselineP95Ms: baseline.p95Ms ?? 0,
      requests: assessment.requests,
      baselineRequests: baseline.requests ?? 0,
      requestRatio: baseline.requests ? assessment.requests / baseline.requests : 1,
    },
  };
}

function sentenceOf(
  { suspect, instance, sli, reading: of }: Candidate,
  action: string,
  refused: readonly string[],
): string {
  const { cause, assessment, cameAtMs } = suspect;
  const what = evidence(
    [cause.subject.service, cause.version, instance].filter((name) => name !== '').join(' '),
    sli,
    of,
  );
  const came = cameAtMs === null ? '' : `, ${seconds(Math.max(0, assessment.endMs - cameAtMs))} after it came`;
  return refused.length === 0 ? `${action}: ${what}${came}` : `no ${action}: ${refused.join(', ')}. ${what}`;
}

/**
 * What would have had to be different. For an action: the reading below which the policy's conditions would not
 * have held, all else equal, found by bisection between what was expected and what was observed.
 */
function counterfactual(policy: Policy, inputs: PolicyInputs, refused: readonly string[]): string {
  if (refused.length > 0) return `would have acted but for: ${refused.join(', ')}`;
  const holdsAt = (observed: number) => evaluate(policy, { ...inputs, cause: { ...inputs.cause, observed } }).holds;
  let [low, high] = [Math.min(inputs.cause.expected, inputs.cause.observed), inputs.cause.observed];
  if (holdsAt(low)) return 'no reading between the expected and the observed one would have stopped it';
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = (low + high) / 2;
    if (holdsAt(middle)) high = middle;
    else low = middle;
  }
  return `would not have fired below ${reading(inputs.cause.sli === 'errors' ? 'errors' : 'latency', high)}`;
}
