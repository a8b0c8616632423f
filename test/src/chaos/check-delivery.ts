import { sameBytes } from '@flyball/core';
import type { Findings } from './findings.ts';
import type { Ledger } from './ledger.ts';
import type { RawChunk } from './raw-spans.ts';

/**
 * Acked is durable, and refused is not stored: every acked try is in the log once, byte for byte; what was unknown at most
 * once more; what was refused by name never.
 */
export function checkDelivery(ledger: Ledger, chunks: readonly RawChunk[], findings: Findings): void {
  const found = Map.groupBy(
    chunks.filter(({ request }) => request !== ''),
    ({ request }) => request,
  );
  const [lost, surplus, altered, foreign]: [string[], string[], string[], string[]] = [[], [], [], []];
  let landed = 0;
  for (const { id, bytes, acked, unknown } of ledger.entries) {
    const copies = found.get(id) ?? [];
    found.delete(id);
    if (copies.length < acked) lost.push(id);
    if (copies.length > acked + unknown) surplus.push(`${id} ${copies.length}x, acked ${acked}, unknown ${unknown}`);
    if (copies.some((copy) => !sameBytes(copy.bytes, bytes))) altered.push(id);
    landed += Math.max(0, copies.length - acked);
  }
  foreign.push(...found.keys());
  findings.none(lost, 'acked requests are not in the log');
  findings.none(surplus, 'requests are in the log more often than they were acked, or may have been');
  findings.none(altered, 'requests are not in the log as they were sent');
  findings.none(foreign, 'requests are in the log that nobody sent');
  for (const [name, count] of [...ledger.names].sort(([a], [b]) => (a < b ? -1 : 1))) findings.note(name, count);
  findings.note('unknown that landed', landed);
  findings.expect(ledger.ackedRequests > 0, 'nothing was acked: nothing was tested');
}
