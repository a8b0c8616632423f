import { sha256Hex } from '@flyball/core';
import { type AuditEntry, GENESIS_HASH, type TrailMessage } from './audit.ts';

/** The last link of a chain. */
export interface ChainHead {
  /** 0 before the first entry. */
  readonly seq: number;
  readonly hash: string;
}

/** A chain without entries. */
export const EMPTY_CHAIN: ChainHead = { seq: 0, hash: GENESIS_HASH };

/** The next link after `head`. */
export function link(head: ChainHead, message: TrailMessage): AuditEntry {
  const body = JSON.stringify(message);
  const hash = hashOf(head.hash, body);
  return { type: 'audit', tenant: message.tenant, seq: head.seq + 1, prevHash: head.hash, body, hash };
}

/** What a check of a chain found. */
export interface ChainReport {
  readonly entries: number;
  readonly head: ChainHead;
  /** The first place where the chain does not hold, or `null`. */
  readonly firstBad: { readonly seq: number; readonly reason: string } | null;
}

/** Checks a chain from its first entry on: edits, gaps, swaps and insertions break it at their place. */
export function verifyChain(entries: Iterable<AuditEntry>): ChainReport {
  let head = EMPTY_CHAIN;
  let count = 0;
  for (const entry of entries) {
    count += 1;
    const bad = (reason: string): ChainReport => ({ entries: count, head, firstBad: { seq: head.seq + 1, reason } });
    if (entry.seq !== head.seq + 1) return bad(`found seq ${entry.seq}: entries are missing, added or out of order`);
    if (entry.prevHash !== head.hash) return bad('does not follow from the entry before it');
    if (entry.hash !== hashOf(entry.prevHash, entry.body)) return bad('was changed: its hash is another');
    head = { seq: entry.seq, hash: entry.hash };
  }
  return { entries: count, head, firstBad: null };
}

function hashOf(prevHash: string, body: string): string {
  return sha256Hex(`${prevHash}\n${body}`);
}
