import { type AuditEntry, type ChainHead, EMPTY_CHAIN, link, type TrailMessage } from '@flyball/contracts';
import { decodeSnapshot, encodeSnapshot } from '@flyball/core';
import type { Entry, Outbox, Processor } from '@flyball/runtime';

/** What the auditor says. */
export type AuditorOut = { 'flyball.audit': AuditEntry };

/**
 * Chains everything that is audited, per tenant, in the order of its one inbox. A single deterministic writer: so
 * no two writers can fork the chain, and a restart writes the very same links again.
 */
export class Auditor implements Processor<TrailMessage, AuditorOut> {
  /** By tenant. Names are the senders': a plain object would trip over `__proto__`. */
  #heads = new Map<string, ChainHead>();

  process({ body }: Entry<TrailMessage>, outbox: Outbox<AuditorOut>): void {
    const entry = link(this.#heads.get(body.tenant) ?? EMPTY_CHAIN, body);
    this.#heads.set(body.tenant, { seq: entry.seq, hash: entry.hash });
    outbox.emit('flyball.audit', body.tenant, entry);
  }

  /** Takes in a link that is on record: a chain goes on behind its last, also in a new life of the lane. */
  goOnBehind({ tenant, seq, hash }: AuditEntry): void {
    this.#heads.set(tenant, { seq, hash });
  }

  /** A fact that could not be chained is in the dead letters. */
  skip(): void {}

  snapshot(): Uint8Array {
    const heads = [...this.#heads].sort(([a], [b]) => (a < b ? -1 : 1));
    return encodeSnapshot({ heads });
  }

  restore(snapshot: Uint8Array): void {
    this.#heads = new Map(decodeSnapshot<{ heads: [string, ChainHead][] }>(snapshot).heads);
  }
}
