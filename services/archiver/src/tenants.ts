import { DEFAULT_TENANT, TENANT_HEADER, type Topic, TOPOLOGY } from '@flyball/contracts';
import type { StoredRecord } from '@flyball/runtime';

/**
 * Whose record it is: as the edge that took it stamped it, else as its key says. What concerns nobody, such as a tick or the
 * passing of time, is the default tenant's.
 */
export function tenantOf(topic: string, { headers, key }: StoredRecord): string {
  const stamped = headers[TENANT_HEADER];
  if (stamped !== undefined && stamped !== '') return stamped;
  const kind: string | null = TOPOLOGY[topic as Topic]?.key ?? null;
  if (kind === 'tenant') return key || DEFAULT_TENANT;
  const isScoped = kind === 'subject' || kind === 'environment' || kind === 'target';
  return (isScoped && decoded(key.split('/')[0]!)) || DEFAULT_TENANT;
}

/** Somebody else may have written the key. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
