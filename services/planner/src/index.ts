export { PlannerConfig } from './config.ts';
export { Planner } from './planner.ts';
export type { PlannerOut } from './planner.ts';
export { CommandRelay, ControlRelay, OutcomeRelay } from './relay.ts';
export type { RelayOut } from './relay.ts';
export { plannerSpecs } from './specs.ts';
export { PolicyCases } from './policy-cases.ts';
export { tryPolicy } from './try-policy.ts';
export type { Tried } from './try-policy.ts';
