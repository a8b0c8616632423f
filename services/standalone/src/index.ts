export { LINE_DEFAULTS, lineSpecs } from './line.ts';
export type { LineConfig } from './line.ts';
export { readOptions } from './options.ts';
export type { Overrides, StandaloneOptions } from './options.ts';
export { Standalone } from './standalone.ts';
export type { Addresses } from './standalone.ts';
