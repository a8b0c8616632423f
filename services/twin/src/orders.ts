import { z } from 'zod';

const about = {
  commandId: z.string(),
  /** Lane epoch and offset: an order that is not above the newest one seen is refused. */
  generation: z.tuple([z.int(), z.int()]),
};

/** What a rollout controller can be told to do to a service. The names are those of the HTTP API. */
export const Order = z.discriminatedUnion('verb', [
  z.strictObject({ verb: z.literal('rollback'), ...about, fromVersion: z.string(), toVersion: z.string() }),
  z.strictObject({
    verb: z.literal('throttle'),
    ...about,
    limit: z.strictObject({ kind: z.enum(['ratio', 'rps']), value: z.number().positive() }),
  }),
  z.strictObject({ verb: z.literal('isolate'), ...about, instance: z.string() }),
]);
export type Order = z.infer<typeof Order>;

/** Takes back what a command has set, the share `doneRatio` of the way, above 0, to 1. */
export const ReleaseOrder = z.strictObject({ commandId: z.string(), doneRatio: z.number().gt(0).max(1) });
export type ReleaseOrder = z.infer<typeof ReleaseOrder>;

/** An order that was carried out, or not. `gone`: there is nothing of that command to be released. */
export type OrderAnswer =
  | { readonly ok: true; readonly before: string; readonly after: string }
  | { readonly ok: false; readonly code: 'stale_generation' | 'precondition' | 'gone'; readonly message: string };
