export { Auditor } from './auditor.ts';
export type { AuditorOut } from './auditor.ts';
export { auditorSpecs } from './specs.ts';
export { AuditorConfig } from './config.ts';
