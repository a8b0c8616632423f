import type { Approval, GateReason, GateResult } from '@flyball/contracts';
import { HOUR_MS } from '@flyball/core';
import { type Evaluation, frozenBy, matchesScope, type Policy } from '@flyball/policy';
import type { Candidate } from './candidates.ts';
import type { PlannerConfig } from './config.ts';
import { type EnvironmentState, isOver } from './environment.ts';
import { freezeOf, silenceOf } from './quiet.ts';
import { percent, seconds } from './sentences.ts';

/** Below so many services a share of failing ones says nothing. */
const SYSTEMIC_SERVICES_MIN = 5;

/** What the gates are asked about. */
export interface Proposal {
  readonly nowMs: number;
  readonly policy: Policy;
  readonly candidate: Candidate;
  readonly evaluation: Evaluation;
  readonly commandId: string;
  readonly targetKey: string | null;
  readonly resumedAtMs: number | null;
  /** Whether the target keeps an older effect from landing late. */
  readonly isFenced: boolean;
  /** What a person was asked about this very command, if anybody was; and what the order is now. */
  readonly approval: Approval | undefined;
  readonly orderDigest: string;
}

/**
 * Asks every gate, in order, also after the first refusal: cheap and absolute ones first, judgement last. A command
 * is issued only when all have passed.
 */
export function askGates(proposal: Proposal, state: EnvironmentState, config: PlannerConfig): readonly GateResult[] {
  return [
    ...standingGates(proposal),
    ...quietGates(proposal, state),
    ...telemetryGates(proposal, state),
    ...historyGates(proposal, state),
    ...budgetGates(proposal, state),
    ...evidenceGates(proposal, config),
    approvalGate(proposal),
  ];
}

function gate(name: GateReason, passed: boolean, detail: string): GateResult {
  return { gate: name, passed, detail };
}

function standingGates({ policy, candidate, resumedAtMs, targetKey }: Proposal): GateResult[] {
  const isPaused = resumedAtMs === null;
  const { environment, service } = candidate.suspect.assessment.subject;
  const { autonomy } = policy.spec;
  return [
    gate('kill_switch', !isPaused, isPaused ? 'automation is paused' : 'automation is on'),
    gate('autonomy', autonomy === 'auto' || autonomy === 'approve', `policy is ${autonomy}`),
    gate('scope', matchesScope(policy, environment, service), `${environment}/${service}`),
    gate('no_target', targetKey !== null, targetKey === null ? 'service has no binding' : `target ${targetKey}`),
  ];
}

function quietGates({ nowMs, policy, candidate }: Proposal, state: EnvironmentState): GateResult[] {
  const frozen = frozenBy(policy, nowMs) ?? freezeOf(state, nowMs)?.reason;
  const silence = silenceOf(state, candidate.suspect.assessment.subject.service, nowMs);
  return [
    gate('freeze', frozen === undefined, frozen === undefined ? 'no freeze' : `frozen: ${frozen}`),
    gate(
      'silenced',
      silence === undefined,
      silence === undefined
        ? 'not silenced'
        : `silenced by ${silence.actor} for another ${seconds(silence.untilMs - nowMs)}: ${silence.reason}`,
    ),
  ];
}

function telemetryGates({ nowMs, policy, candidate }: Proposal, state: EnvironmentState): GateResult[] {
  const { endMs, coverage } = candidate.suspect.assessment;
  const limitMs = policy.spec.limits.freshnessSeconds * 1_000;
  const isFresh = nowMs - endMs <= limitMs && coverage === 1;
  const isBlind = state.blindSinceMs !== null;
  return [
    gate(
      'stale_telemetry',
      isFresh,
      `age ${seconds(nowMs - endMs)}, at most ${seconds(limitMs)}; coverage ${coverage}`,
    ),
    gate('blind', !isBlind, isBlind ? 'most services fell silent together' : 'telemetry arrives'),
  ];
}

function historyGates(
  { nowMs, resumedAtMs, policy, commandId, targetKey }: Proposal,
  state: EnvironmentState,
): GateResult[] {
  const mine = state.commands.filter((known) => known.targetKey === targetKey);
  const isDuplicate = mine.some(({ command }) => command.commandId === commandId);
  const busy = mine.find((known) => !isOver(known));
  const last = mine.at(-1);
  const sinceMs = last === undefined ? Infinity : nowMs - last.command.issuedAtMs;
  const cooldownMs = policy.spec.limits.cooldownSeconds * 1_000;
  const failed = mine.findLast(
    ({ judgement, outcome, isGivenUp }) => judgement !== null || outcome?.status === 'unknown' || isGivenUp === true,
  );
  // Whoever says "resume" has looked at what had failed by then. Of what releases before saved only its start is known.
  const isSeen = failed !== undefined && (failed.isSeen ?? failed.command.issuedAtMs <= (resumedAtMs ?? 0));
  const isChain = failed !== undefined && failed.judgement !== 'verified' && !isSeen;
  return [
    gate('duplicate', !isDuplicate, isDuplicate ? `${commandId} was issued before` : 'not issued before'),
    gate(
      'target_busy',
      busy === undefined,
      busy === undefined ? 'no other action' : `${busy.command.commandId} is under way`,
    ),
    gate(
      'cooldown',
      sinceMs >= cooldownMs,
      last === undefined ? 'no action before' : `last action ${seconds(sinceMs)} ago, at least ${seconds(cooldownMs)}`,
    ),
    gate(
      'ineffective_chain',
      !isChain,
      isChain ? `${failed.command.commandId} did not help: a person must look, and say "resume"` : 'none',
    ),
  ];
}

function budgetGates({ nowMs, policy, candidate, targetKey }: Proposal, state: EnvironmentState): GateResult[] {
  const { maxPerHour, maxTrafficRatio, maxServices, systemicStopRatio } = policy.spec.limits;
  const recent = state.commands.filter(
    ({ command }) => command.policy.name === policy.metadata.name && command.issuedAtMs > nowMs - HOUR_MS,
  );
  const { blastRatio } = candidate;
  const others = new Set(state.commands.filter((known) => !isOver(known)).map((known) => known.targetKey));
  others.delete(targetKey ?? '');
  const services = [...state.services.values()];
  const failing = services.filter(({ assessment }) => {
    return assessment.errorsSli.verdict === 'fail' || assessment.latencySli.verdict === 'fail';
  });
  const isSystemic = services.length >= SYSTEMIC_SERVICES_MIN && failing.length > systemicStopRatio * services.length;
  return [
    gate('rate_budget', recent.length < maxPerHour, `${recent.length} of ${maxPerHour} this hour`),
    gate(
      'blast_budget',
      blastRatio <= maxTrafficRatio,
      `${percent(blastRatio)} of traffic, at most ${percent(maxTrafficRatio)}`,
    ),
    gate(
      'services_budget',
      others.size < maxServices,
      `${others.size} others are acted on, at most ${maxServices} at once`,
    ),
    gate(
      'systemic',
      !isSystemic,
      `${failing.length} of ${services.length} services fail, stop above ${percent(systemicStopRatio)}`,
    ),
  ];
}

function evidenceGates({ candidate, evaluation }: Proposal, { vetoToleranceMs }: PlannerConfig): GateResult[] {
  const { suspect, verdict, instance } = candidate;
  const { serviceSinceMs, cameAtMs } = suspect;
  const leadMs = serviceSinceMs === null || cameAtMs === null ? 0 : cameAtMs - serviceSinceMs;
  const predates = leadMs > vetoToleranceMs;
  const refused = evaluation.clauses.filter(({ holds }) => !holds);
  return [
    gate(
      'veto_preexisting',
      !predates,
      predates ? `the fault began ${seconds(leadMs)} before the change` : 'the fault did not begin before the change',
    ),
    gate(
      'insufficient_evidence',
      verdict === 'fail',
      `verdict on ${instance || suspect.cause.version || 'the service'}: ${verdict}`,
    ),
    gate(
      'policy_condition',
      evaluation.holds,
      refused.length === 0
        ? evaluation.clauses.map(({ message }) => message).join('; ')
        : `does not hold: ${refused.map(({ name, message }) => `${name} (${message})`).join('; ')}`,
    ),
  ];
}

/** Whether a person has said yes, to this very order, where one must: nothing else can make up for it. */
function approvalGate({ policy, isFenced, approval, orderDigest }: Proposal): GateResult {
  const { autonomy } = policy.spec;
  // What is only watched or suggested asks nobody, whatever the target is: a person acts on it, or nobody does.
  const mayAct = autonomy === 'approve' || autonomy === 'auto';
  if (!mayAct || (autonomy === 'auto' && isFenced)) return gate('approval', true, `policy is ${autonomy}`);
  const why = isFenced ? 'policy is approve' : 'nothing fences the target';
  if (approval === undefined) return gate('approval', false, `${why}: a person must approve`);
  const isSame = approval.digest === orderDigest;
  const by = approval.actor === '' ? '' : ` by ${approval.actor}`;
  const what = isSame ? `${approval.status}${by}` : `${approval.status}${by}, but for another order`;
  return gate('approval', approval.status === 'approved' && isSame, `${why}: ${what}`);
}
