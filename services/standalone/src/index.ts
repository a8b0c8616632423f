export { createTopics, LINE_DEFAULTS, lineSpecs } from './line.ts';
export type { AnyLaneSpec, LineConfig } from './line.ts';
