import { type Command, type Decision, type Target, targetKey } from '@flyball/contracts';
import { contentId } from '@flyball/core';
import { evaluate, type Policy, type PolicyInputs } from '@flyball/policy';
import type { Suspect } from './causes.ts';
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
  readonly incidentId: string;
  /** Lane epoch and offset of what is being processed: the command's generation. */
  readonly generation: readonly [number, number];
}

/** A decision, and the command that follows if every gate has passed. */
export interface Decided {
  readonly decision: Decision;
  readonly command: Command | undefined;
}

const BISECTIONS = 40;

/** Considers rolling back the suspected release under a policy. Every gate is asked; a command follows if all pass. */
export function decide(
  known: KnownPolicy,
  suspect: Suspect,
  occasion: Occasion,
  { state, config }: { state: EnvironmentState; config: PlannerConfig },
): Decided {
  const { policy, digest } = known;
  const { cause, reading: sli } = suspect;
  const { service } = cause.subject;
  const target = state.bindings.get(service);
  const key = target === undefined ? null : targetKey(target);
  const action = `rollback ${service} ${cause.version} -> ${cause.stableVersion || 'unknown'}`;
  const inputs = inputsOf(suspect, occasion.nowMs);
  const evaluation = evaluate(policy, inputs);
  const episode = Math.floor(sli.sinceMs ?? suspect.cameAtMs ?? 0);
  const commandId = contentId('c', [
    cause.subject.tenant,
    cause.subject.environment,
    key ?? service,
    action,
    episode,
    digest,
  ]);
  const proposal = { ...occasion, policy, suspect, evaluation, commandId, targetKey: key };
  const gates = [...askGates(proposal, state, config)];
  const refused = gates.filter(({ passed }) => !passed).map(({ gate }) => gate);
  const isOrderable = target !== undefined && cause.stableVersion !== '';
  const onlyAutonomy = refused.length === 1 && refused[0] === 'autonomy';
  const verdict = refused.length === 0 && isOrderable ? 'acted' : onlyAutonomy ? 'suggested' : 'declined';
  const about = { name: policy.metadata.name, version: policy.metadata.version, digest };
  const decision: Decision = {
    decisionId: contentId('d', [commandId, occasion.incidentId, refused.join(' '), verdict]),
    atMs: occasion.nowMs,
    policy: about,
    action,
    verdict,
    gates,
    sentence: sentenceOf(suspect, action, refused),
    counterfactual: counterfactual(policy, inputs, refused),
    commandId: verdict === 'acted' ? commandId : '',
  };
  if (verdict !== 'acted' || target === undefined) return { decision, command: undefined };
  return { decision, command: commandOf({ decision, target, suspect, occasion }, policy, config) };
}

interface Order {
  readonly decision: Decision;
  readonly target: Target;
  readonly suspect: Suspect;
  readonly occasion: Occasion;
}

function commandOf({ decision, target, suspect, occasion }: Order, policy: Policy, config: PlannerConfig): Command {
  const { cause } = suspect;
  const ttlMs = Math.min(config.commandTtlMs, policy.spec.ttlSeconds * 1_000);
  return {
    type: 'command',
    commandId: decision.commandId,
    target,
    subject: cause.subject,
    action: { type: 'rollback', fromVersion: cause.version, toVersion: cause.stableVersion },
    generation: [occasion.generation[0], occasion.generation[1]],
    issuedAtMs: occasion.nowMs,
    expiresAtMs: occasion.nowMs + ttlMs,
    incidentId: occasion.incidentId,
    policy: decision.policy,
    decision: {
      decisionId: decision.decisionId,
      sentence: decision.sentence,
      counterfactual: decision.counterfactual,
      gates: decision.gates,
    },
  };
}

/** What a policy's conditions see. */
function inputsOf({ cause, sli, reading: of, version, assessment, cameAtMs }: Suspect, nowMs: number): PolicyInputs {
  const { errorsSli, latencySli, baseline } = assessment;
  const isFailing = errorsSli.verdict === 'fail' || latencySli.verdict === 'fail';
  return {
    cause: {
      version: cause.version,
      stableVersion: cause.stableVersion,
      sli,
      verdict: version?.verdict ?? 'insufficient',
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
    },
  };
}

function sentenceOf(suspect: Suspect, action: string, refused: readonly string[]): string {
  const { cause, sli, reading: of, assessment, cameAtMs } = suspect;
  const what = evidence(`${cause.subject.service} ${cause.version}`, sli, of);
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
