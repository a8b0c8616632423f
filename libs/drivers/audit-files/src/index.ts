export { AuditFiles } from './audit-files.ts';
export { verifyAudit } from './verify-audit.ts';
export type { AuditReport } from './verify-audit.ts';
