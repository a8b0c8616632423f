import type { GateReason, GateResult } from '@flyball/contracts';
import { HOUR_MS } from '@flyball/core';
import { type Evaluation, matchesScope, type Policy } from '@flyball/policy';
import type { Suspect } from './causes.ts';
import type { PlannerConfig } from './config.ts';
import type { EnvironmentState, KnownCommand } from './environment.ts';
import { percent, seconds } from './sentences.ts';

/** Below so many services a share of failing ones says nothing. */
const SYSTEMIC_SERVICES_MIN = 5;

/** What the gates are asked about. */
export interface Proposal {
  readonly nowMs: number;
  readonly policy: Policy;
  readonly suspect: Suspect;
  readonly evaluation: Evaluation;
  readonly commandId: string;
  readonly targetKey: string | null;
  readonly resumedAtMs: number | null;
}

/**
 * Asks every gate, in order, also after the first refusal: cheap and absolute ones first, judgement last. A command
 * is issued only when all have passed.
 */
export function askGates(proposal: Proposal, state: EnvironmentState, config: PlannerConfig): readonly GateResult[] {
  return [
    ...standingGates(proposal),
    ...telemetryGates(proposal, state),
    ...historyGates(proposal, state),
    ...budgetGates(proposal, state),
    ...evidenceGates(proposal, config),
  ];
}

function gate(name: GateReason, passed: boolean, detail: string): GateResult {
  return { gate: name, passed, detail };
}

function standingGates({ policy, suspect, resumedAtMs, targetKey }: Proposal): GateResult[] {
  const isPaused = resumedAtMs === null;
  const { environment, service } = suspect.assessment.subject;
  const { autonomy } = policy.spec;
  return [
    gate('kill_switch', !isPaused, isPaused ? 'automation is paused' : 'automation is on'),
    gate('autonomy', autonomy === 'auto', `policy is ${autonomy}`),
    gate('scope', matchesScope(policy, environment, service), `${environment}/${service}`),
    gate('no_target', targetKey !== null, targetKey === null ? 'service has no binding' : `target ${targetKey}`),
  ];
}

function telemetryGates({ nowMs, policy, suspect }: Proposal, state: EnvironmentState): GateResult[] {
  const { endMs, coverage } = suspect.assessment;
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
  const failed = mine.findLast(({ judgement, outcome }) => judgement !== null || outcome?.status === 'unknown');
  // Whoever says "resume" has looked.
  const isSeen = failed !== undefined && failed.command.issuedAtMs <= (resumedAtMs ?? 0);
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

/** Whether nothing more can come of a command but its judgement. */
function isOver({ outcome, judgement }: KnownCommand): boolean {
  return outcome !== null && (outcome.status !== 'applied' || judgement !== null);
}

function budgetGates({ nowMs, policy, suspect }: Proposal, state: EnvironmentState): GateResult[] {
  const { maxPerHour, maxTrafficRatio, systemicStopRatio } = policy.spec.limits;
  const recent = state.commands.filter(
    ({ command }) => command.policy.name === policy.metadata.name && command.issuedAtMs > nowMs - HOUR_MS,
  );
  const blastRatio = suspect.version?.trafficRatio ?? 1;
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
      'systemic',
      !isSystemic,
      `${failing.length} of ${services.length} services fail, stop above ${percent(systemicStopRatio)}`,
    ),
  ];
}

function evidenceGates({ suspect, evaluation }: Proposal, { vetoToleranceMs }: PlannerConfig): GateResult[] {
  const { serviceSinceMs, cameAtMs, version } = suspect;
  const leadMs = serviceSinceMs === null || cameAtMs === null ? 0 : cameAtMs - serviceSinceMs;
  const predates = leadMs > vetoToleranceMs;
  const verdict = version?.verdict ?? 'insufficient';
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
      `verdict on ${suspect.cause.version || 'the service'}: ${verdict}`,
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
