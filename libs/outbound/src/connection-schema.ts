import { z } from 'zod';

/** Most connections of all files together. */
export const CONNECTIONS_MAX = 100;

const address = {
  /** As bindings name it after `webhook:`, and people on the command line. */
  name: z
    .string()
    .max(60)
    .regex(/^[a-z][a-z0-9-]*$/, 'lower-case words joined by hyphens'),
  /** Left out where the URL itself is a secret: then the environment has it. */
  url: z.url().optional(),
  allowPrivate: z.boolean().default(false),
};
const pattern = z.string().min(1).max(200);
const patterns = z.array(pattern).min(1).max(100).default(['*']);
/** Which incidents a connection is told of. */
const choice = {
  severities: z
    .array(z.enum(['critical', 'warning']))
    .min(1)
    .default(['critical', 'warning']),
  environments: patterns,
  services: patterns,
};

/** What a webhook that commands act on may say. */
const Target = z.strictObject({
  ...address,
  kind: z.literal('target'),
  fencing: z.enum(['generation', 'none']).default('none'),
});
const Alertmanager = z.strictObject({ ...address, ...choice, kind: z.literal('alertmanager') });
const Slack = z.strictObject({ ...address, ...choice, kind: z.literal('slack') });
const Webhook = z.strictObject({ ...address, ...choice, kind: z.literal('webhook') });
const Heartbeat = z.strictObject({ ...address, kind: z.literal('heartbeat') });

/** A connection as it is written. One without a kind is a target. */
export const WrittenConnection = z.preprocess(
  (written) =>
    typeof written === 'object' && written !== null && !('kind' in written) ? { ...written, kind: 'target' } : written,
  z.discriminatedUnion('kind', [Target, Alertmanager, Slack, Webhook, Heartbeat]),
);
export type WrittenConnection = z.infer<typeof WrittenConnection>;

/** A file of connections. */
export const ConnectionsSchema = z.strictObject({
  connections: z.array(WrittenConnection).max(CONNECTIONS_MAX),
  /** Who is pinged while everything is well, and told when it is not. */
  deadman: z
    .strictObject({
      everyMs: z.int().min(1_000).max(3_600_000).default(60_000),
      connections: z.array(z.string()).min(1).max(20),
    })
    .optional(),
});
