export { DEFAULT_TENANT, readRaw, TENANT_HEADER, Tick, TICK_HEADER } from './raw.ts';
export type { RawMessage } from './raw.ts';
export { EMBEDDED_LANES, TOPOLOGY } from './topology.ts';
export type { Topic } from './topology.ts';
