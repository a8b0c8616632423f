import { sha256Hex } from '@flyball/core';
import type { Command } from './commands.ts';

/** What an approval is bound to: everything that a command does and why, but not when it is issued. */
export type Order = Pick<
  Command,
  'commandId' | 'target' | 'subject' | 'action' | 'ttlMs' | 'inverse' | 'release' | 'incidentId' | 'policy'
>;

/**
 * SHA-256, hex, over the canonical bytes of an order: JSON with the keys of every object sorted. Whoever approves
 * names this digest, so that nothing else is carried out than what was shown.
 */
export function commandDigest(order: Order): string {
  const { commandId, target, subject, action, ttlMs, inverse, release, incidentId, policy } = order;
  return sha256Hex(canonical({ commandId, target, subject, action, ttlMs, inverse, release, incidentId, policy }));
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
}
