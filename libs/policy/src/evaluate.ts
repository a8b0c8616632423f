import { firstLine, type PolicyInputs } from './conditions.ts';
import type { Policy } from './parse.ts';

/** What became of one condition. */
export interface Clause {
  readonly name: string;
  readonly expression: string;
  readonly holds: boolean;
  /** The condition's message with its numbers, or why it could not be evaluated. */
  readonly message: string;
}

/** What became of all conditions. */
export interface Evaluation {
  readonly holds: boolean;
  readonly clauses: readonly Clause[];
}

/** Evaluates every condition, also after the first that does not hold. One that fails to evaluate does not hold. */
export function evaluate(policy: Policy, inputs: PolicyInputs): Evaluation {
  const clauses = policy.spec.conditions.map(({ name, expression, message }, index) => {
    try {
      const holds = policy.compiled[index]!({ ...inputs }) === true;
      return { name, expression, holds, message: fill(message, inputs) };
    } catch (error) {
      return { name, expression, holds: false, message: firstLine(error) };
    }
  });
  return { holds: clauses.every(({ holds }) => holds), clauses };
}

/** Whether a policy may act on a service of an environment. What is not named is out of scope. */
export function matchesScope({ spec }: Policy, environment: string, service: string): boolean {
  const { environments, services } = spec.scope;
  const fits = (patterns: readonly string[], text: string) => patterns.some((pattern) => matchesPattern(pattern, text));
  return fits(environments, environment) && fits(services, service);
}

/** Whether a text is a literal, or begins as a pattern that ends in `*` says. */
export function matchesPattern(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

function fill(message: string, inputs: PolicyInputs): string {
  return message.replaceAll(/\{(cause|service)\.(\w+)\}/g, (placeholder, group: 'cause' | 'service', name: string) => {
    const value = (inputs[group] as Readonly<Record<string, string | number>>)[name];
    if (value === undefined) return placeholder;
    return typeof value === 'number' ? String(Number(value.toPrecision(3))) : value;
  });
}
