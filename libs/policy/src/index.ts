export { parseConfiguration } from './configuration.ts';
export type { Configuration } from './configuration.ts';
export type { PolicyInputs } from './conditions.ts';
export { evaluate, matchesPattern, matchesScope } from './evaluate.ts';
export type { Clause, Evaluation } from './evaluate.ts';
export { frozenBy } from './freeze.ts';
export { parsePolicy, policyDigest } from './parse.ts';
export type { Policy } from './parse.ts';
export { readYaml } from './yaml-document.ts';
