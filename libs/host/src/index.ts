export { LaneLoop } from './lane-loop.ts';
export type { LaneHealth } from './lane-loop.ts';
export { createLogger, describeError } from './logger.ts';
export type { Logger } from './logger.ts';
export { readSettings } from './settings.ts';
