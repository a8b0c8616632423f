import { z } from 'zod';

const kebab = z.string().regex(/^[a-z][a-z0-9-]*$/, 'lower-case words joined by hyphens');
/** A literal, or a beginning and `*`. */
const pattern = z.string().regex(/^[^*]*\*?$/, 'a literal, or a beginning followed by *');

const Condition = z.strictObject({
  name: kebab,
  /** CEL over `cause` and `service`; must be a boolean. */
  expression: z.string().min(1).max(1_000),
  /** For people; `{cause.observed}` and the like are filled in. */
  message: z.string().max(500),
});

const Limits = z.strictObject({
  /** At least so long between two actions on one target. */
  cooldownSeconds: z.int().min(0).max(86_400).optional(),
  /** At most so many actions of this policy per environment. */
  maxPerHour: z.int().min(1).max(100).optional(),
  /** The suspected version may have at most this share of the service's traffic, 0 to 1. */
  maxTrafficRatio: z.number().positive().max(1).optional(),
  /** With more than this share of services failing it is not local, and nothing is done, 0 to 1. */
  systemicStopRatio: z.number().positive().max(1).default(0.4),
  /** Evidence older than this is stale. */
  freshnessSeconds: z.int().min(1).max(3_600).default(30),
});

/** A remediation policy as its YAML says it. */
export const PolicySchema = z.strictObject({
  kind: z.literal('RemediationPolicy'),
  metadata: z.strictObject({ name: kebab, version: z.int().min(1) }),
  spec: z.strictObject({
    /** `observe` and `suggest` never act; `auto` does. */
    autonomy: z.enum(['observe', 'suggest', 'auto']),
    /** What it may act on; nothing else. */
    scope: z.strictObject({ environments: z.array(pattern).min(1), services: z.array(pattern).min(1) }),
    match: z.strictObject({ slis: z.array(z.enum(['errors', 'latency'])).min(1), cause: z.literal('version') }),
    conditions: z.array(Condition).min(1).max(20),
    action: z.strictObject({ type: z.literal('rollback') }),
    ttlSeconds: z.int().min(1).max(86_400),
    limits: Limits,
    /** After an action: how long to wait, then within how long it must be well. */
    verify: z.strictObject({
      stabilizeSeconds: z.int().min(0).max(3_600),
      windowSeconds: z.int().min(1).max(86_400),
    }),
  }),
});
/** A policy as written, before what it leaves out is filled in. */
export type PolicyText = z.infer<typeof PolicySchema>;
