import { RejectedError } from '@flyball/core';
import { z } from 'zod';

/** Tenant of a raw record, stamped by the edge from the sender's credential, never from an attribute. */
export const TENANT_HEADER = 'flyball-tenant';
/** The one tenant until credentials name others. */
export const DEFAULT_TENANT = 'default';
/** Header of a tick; its value is JSON of {@link Tick}. The record's own value is empty. */
export const TICK_HEADER = 'flyball-tick';

/**
 * A tick: `ingest` appends one to each raw partition every second, so that silence has a time too. To a foreign
 * consumer it is an empty OTLP request, which is valid.
 */
export const Tick = z.object({
  /** Items that were refused since the writer's last tick, or that nobody knows of, by tenant: windows of that time may not hold everything. */
  refused: z.record(z.string(), z.int().positive()),
  /** Who ticks: one start of one ingest. */
  writer: z.string().optional(),
  /**
   * By number, the raw partitions that have not answered this writer for a while: when the last record that they took was
   * appended (0: never), and for how long they have been silent. The only evidence that a partition is down, and not just
   * read slowly.
   */
  stalled: z.record(z.string(), z.object({ ackedAtMs: z.number(), forMs: z.number() })).optional(),
});
export type Tick = z.infer<typeof Tick>;

/** What a raw topic holds: a serialised OTLP request, or a tick. */
export type RawMessage =
  { readonly type: 'otlp'; readonly tenant: string; readonly bytes: Uint8Array } | ({ readonly type: 'tick' } & Tick);

/**
 * Reads a raw record. Records of foreign producers have no headers of ours and belong to the default tenant.
 *
 * @throws {RejectedError} `TICK_INVALID` when a header of ours was written by somebody else: dead-letter it.
 */
export function readRaw(record: { headers: Readonly<Record<string, string>>; value: Uint8Array }): RawMessage {
  const tick = record.headers[TICK_HEADER];
  if (tick === undefined) {
    return { type: 'otlp', tenant: record.headers[TENANT_HEADER] ?? DEFAULT_TENANT, bytes: record.value };
  }
  try {
    return { type: 'tick', ...Tick.parse(JSON.parse(tick)) };
  } catch (cause) {
    throw new RejectedError('TICK_INVALID', 'tick header cannot be read', { cause });
  }
}
