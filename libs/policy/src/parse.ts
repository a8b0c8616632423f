import { RejectedError, sha256Hex } from '@flyball/core';
import { type Document, isScalar, LineCounter, parseDocument } from 'yaml';
import { compile, type Condition } from './conditions.ts';
import { nearest } from './nearest.ts';
import { PolicySchema, type PolicyText } from './schema.ts';

const TEXT_MAX = 64 * 1024;

/** A policy, checked, with its conditions compiled. */
export interface Policy extends Omit<PolicyText, 'spec'> {
  readonly spec: Omit<PolicyText['spec'], 'limits'> & { readonly limits: Required<Limits> };
  readonly compiled: readonly Condition[];
}
type Limits = {
  readonly [Name in keyof PolicyText['spec']['limits']]-?: NonNullable<PolicyText['spec']['limits'][Name]>;
};

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

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
  if (text.length > TEXT_MAX) throw invalid([`policy is longer than ${TEXT_MAX} characters`]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw invalid(document.errors.map(({ pos, message }) => `${place(pos[0])} ${message.split('\n')[0]}`));
  }
  const parsed = PolicySchema.safeParse(plainOf(document));
  const problems = parsed.success ? [...unsafeParts(parsed.data)] : schemaProblems(parsed.error.issues);
  const compiled = parsed.success ? compileAll(parsed.data, problems) : [];
  if (problems.length > 0 || !parsed.success) {
    throw invalid(problems.map(({ path, text: what }) => `${place(offsetOf(document, path))} ${what}`));
  }
  const { limits, ...spec } = parsed.data.spec;
  // Only a policy that never acts may leave limits out: then nothing is allowed by them.
  const { cooldownSeconds = 0, maxPerHour = 1, maxTrafficRatio = 1, ...rest } = limits;
  const full = { ...rest, cooldownSeconds, maxPerHour, maxTrafficRatio };
  return Object.freeze({ ...parsed.data, spec: { ...spec, limits: full }, compiled });
}

function invalid(problems: readonly string[]): RejectedError {
  const hint = 'Correct the places that are named; docs/policies.md describes every key.';
  return new RejectedError('POLICY_INVALID', `policy is invalid: ${problems.join('; ')}`, { hint });
}

/** Aliases could blow a small text up: none are taken. */
function plainOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw invalid(['aliases are not taken']);
  }
}

function schemaProblems(issues: readonly { code?: string; path: PropertyKey[]; message: string }[]): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const { path, message } = issue;
    const keys = 'keys' in issue ? (issue.keys as string[]) : undefined;
    if (keys === undefined) return [{ path, text: `${path.join('.')}: ${message}` }];
    return keys.map((key) => {
      const guess = nearest(key);
      const hint = guess === undefined ? '' : `, did you mean ${guess}?`;
      return { path: [...path, key], text: `unknown key ${[...path, key].join('.')}${hint}` };
    });
  });
}

/** Guards that a policy which acts by itself must have. */
function* unsafeParts({ spec }: PolicyText): Generator<Problem> {
  if (spec.autonomy !== 'auto') return;
  for (const guard of ['cooldownSeconds', 'maxPerHour', 'maxTrafficRatio'] as const) {
    if (spec.limits[guard] !== undefined) continue;
    yield { path: ['spec', 'limits'], text: `unsafe: autonomy auto needs spec.limits.${guard}` };
  }
  if (spec.scope.environments.includes('*')) {
    yield { path: ['spec', 'scope', 'environments'], text: 'unsafe: autonomy auto needs named environments, not "*"' };
  }
}

function compileAll({ spec }: PolicyText, problems: Problem[]): Condition[] {
  return spec.conditions.flatMap(({ name, expression }, index) => {
    const condition = compile(expression);
    if (typeof condition !== 'string') return [condition];
    problems.push({ path: ['spec', 'conditions', index, 'expression'], text: `condition ${name}: ${condition}` });
    return [];
  });
}

/** Where a value, or the nearest one around it, starts in the text. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true) as { items?: { key?: unknown }[] } | undefined;
    const key = path[length - 1];
    const pair = parent?.items?.find((item) => isScalar(item.key) && item.key.value === key);
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0] ?? 0;
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (node?.range !== undefined) return node.range[0];
  }
  return 0;
}
