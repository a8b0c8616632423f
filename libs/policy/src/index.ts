export type { PolicyInputs } from './conditions.ts';
export { evaluate, matchesScope } from './evaluate.ts';
export type { Clause, Evaluation } from './evaluate.ts';
export { parsePolicy, policyDigest } from './parse.ts';
export type { Policy } from './parse.ts';
