export { Auditor } from './auditor.ts';
export type { AuditorOut } from './auditor.ts';
