import { sha256Hex } from '@flyball/core';
import { compile, type Condition } from './conditions.ts';
import { PolicySchema, type PolicyText } from './schema.ts';
import { type Problem, readYaml } from './yaml-document.ts';

/** A policy, checked, with its conditions compiled. */
export interface Policy extends Omit<PolicyText, 'spec'> {
  readonly spec: Omit<PolicyText['spec'], 'limits'> & { readonly limits: Required<Limits> };
  readonly compiled: readonly Condition[];
}
type Limits = {
  readonly [Name in keyof PolicyText['spec']['limits']]-?: NonNullable<PolicyText['spec']['limits'][Name]>;
};

/** What each kind of action is done to: the kind of cause that a policy with it must match. */
const CAUSE_OF = { rollback: 'version', throttle: 'service', isolate: 'instance' } as const;

/** SHA-256 of a policy's text, hex: what names the policy in decisions. */
export function policyDigest(text: string): string {
  return sha256Hex(text);
}

/**
 * Reads a policy from YAML.
 *
 * @throws {RejectedError} `POLICY_INVALID`; the message lists every problem with line and column. Show it to whoever
 * wrote the policy; the one before stays in force.
 */
export function parsePolicy(text: string): Policy {
  const compiled: Condition[] = [];
  const parsed = readYaml(text, PolicySchema, function* (data) {
    yield* unsafeParts(data);
    yield* contradictions(data);
    yield* compileAll(data, compiled);
  });
  const { limits, ...spec } = parsed.spec;
  // Only a policy that never acts may leave limits out: then nothing is allowed by them.
  const { cooldownSeconds = 0, maxPerHour = 1, maxTrafficRatio = 1, ...rest } = limits;
  const full = { ...rest, cooldownSeconds, maxPerHour, maxTrafficRatio };
  return Object.freeze({ ...parsed, spec: { ...spec, limits: full }, compiled });
}

/** Guards that a policy which acts must have. */
function* unsafeParts({ spec }: PolicyText): Generator<Problem> {
  const { autonomy, limits, scope } = spec;
  if (autonomy !== 'auto' && autonomy !== 'approve') return;
  for (const guard of ['cooldownSeconds', 'maxPerHour', 'maxTrafficRatio'] as const) {
    if (limits[guard] !== undefined) continue;
    yield { path: ['spec', 'limits'], text: `unsafe: autonomy ${autonomy} needs spec.limits.${guard}` };
  }
  if (autonomy === 'auto' && scope.environments.includes('*')) {
    yield { path: ['spec', 'scope', 'environments'], text: 'unsafe: autonomy auto needs named environments, not "*"' };
  }
}

function* contradictions({ spec: { action, match } }: PolicyText): Generator<Problem> {
  const cause = CAUSE_OF[action.type];
  if (match.cause === cause) return;
  yield {
    path: ['spec', 'match', 'cause'],
    text: `spec.match.cause: a ${action.type} is done to a ${cause}, not to a ${match.cause}`,
  };
}

function* compileAll({ spec }: PolicyText, compiled: Condition[]): Generator<Problem> {
  for (const [index, { name, expression }] of spec.conditions.entries()) {
    const condition = compile(expression);
    if (typeof condition !== 'string') compiled.push(condition);
    else yield { path: ['spec', 'conditions', index, 'expression'], text: `condition ${name}: ${condition}` };
  }
}
