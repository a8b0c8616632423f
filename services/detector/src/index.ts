export { DetectorConfig } from './config.ts';
export { Detector } from './detector.ts';
export type { DetectorOut } from './detector.ts';
export { detectorSpecs } from './specs.ts';
