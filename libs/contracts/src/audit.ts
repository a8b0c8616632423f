import { z } from 'zod';
import { Command } from './commands.ts';
import { ControlMessage } from './control.ts';
import { jsonCodec } from './json.ts';
import { OutcomesMessage } from './outcomes.ts';

/** What is audited: words, commands, and what became of them. */
export const AuditedFact = z.union([ControlMessage, Command, OutcomesMessage]);
export type AuditedFact = z.infer<typeof AuditedFact>;

/** `flyball.trail`: copies of all that is audited, brought into one lane per tenant. */
export const TrailMessage = z.object({
  type: z.literal('trail'),
  tenant: z.string(),
  /** Lane that it was copied from: `flyball.control/0`. */
  from: z.string(),
  atMs: z.number(),
  fact: AuditedFact,
});
export type TrailMessage = z.infer<typeof TrailMessage>;

export const trailCodec = jsonCodec('flyball.trail', TrailMessage);

/** Hash before the first entry of a chain. */
export const GENESIS_HASH = '0'.repeat(64);

/**
 * A link of the audit chain: `hash = SHA-256(prevHash + "\n" + body)`, hex, where `body` is the exact text below.
 * Nothing can be changed, left out or inserted without changing every later hash.
 */
export const AuditEntry = z.object({
  type: z.literal('audit'),
  tenant: z.string(),
  /** From 1, without holes. */
  seq: z.int().positive(),
  prevHash: z.string(),
  /** JSON of a {@link TrailMessage}, byte for byte what is hashed. */
  body: z.string(),
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

export const auditCodec = jsonCodec('flyball.audit', AuditEntry);
