export { AggregatorConfig } from './config.ts';
export { GlobalAggregator } from './global-aggregator.ts';
export type { GlobalOut, GlobalPlace } from './global-aggregator.ts';
export { LocalAggregator } from './local-aggregator.ts';
export type { LocalOut } from './local-aggregator.ts';
export { aggregatorSpecs } from './specs.ts';
