import type { ChainHead } from '@flyball/contracts';
import { join } from 'node:path';

/** Folder of a tenant's chain. No tenant name can leave the directory. */
export function tenantDir(auditDir: string, tenant: string): string {
  return join(auditDir, `tenant-${encodeURIComponent(tenant).replaceAll('.', '%2E')}`);
}

/** What a signature of a head is over. */
export function signedText(tenant: string, { seq, hash }: ChainHead): string {
  return `${tenant}\n${seq}\n${hash}`;
}
