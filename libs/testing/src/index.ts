export { FaultyLog } from './faulty-log.ts';
export type { AppendFault } from './faulty-log.ts';
export { jsonCodec } from './json-codec.ts';
export { allRecords, recordsOf, seen } from './seen.ts';
export { stage, World } from './world.ts';
export type { FaultRates, Stage, WorldReport } from './world.ts';
export { logConformance } from './log-conformance.ts';
export type { LogUnderTest } from './log-conformance.ts';
export { objectsConformance } from './objects-conformance.ts';
