export { AggregatorConfig } from './config.ts';
export { GlobalAggregator } from './global-aggregator.ts';
export type { GlobalPlace } from './global-aggregator.ts';
export { LocalAggregator } from './local-aggregator.ts';
export type { LocalOut, LocalPlace } from './local-aggregator.ts';
export { aggregatorSpecs } from './specs.ts';
export { TraceJoiner } from './trace-joiner.ts';
export type { JoinerOut, JoinerPlace } from './trace-joiner.ts';
export type { GlobalOut } from './window-merger.ts';
