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
  /** At most so many services of an environment are acted on at once. */
  maxServices: z.int().min(1).max(100).default(2),
  /** Evidence older than this is stale. */
  freshnessSeconds: z.int().min(1).max(3_600).default(30),
});

/** What is done. What does not last for good says for how long. */
const Action = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('rollback') }),
  z.strictObject({
    type: z.literal('throttle'),
    /** What is let through: a share of the requests, above 0 and below 1; or so many a second. */
    limit: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('ratio'), value: z.number().gt(0).lt(1) }),
      z.strictObject({ kind: z.literal('rps'), value: z.number().positive() }),
    ]),
    /** A throttle without an end is the next outage. */
    ttlSeconds: z.int({ error: 'unsafe: a throttle needs its end in seconds, 1 to 3600' }).min(1).max(3_600),
    /** At its end: all at once, or in a few steps. */
    release: z.enum(['step', 'ramp']).default('ramp'),
  }),
  z.strictObject({ type: z.literal('isolate'), ttlSeconds: z.int().min(1).max(86_400).optional() }),
]);

const clock = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$/, 'a time of day in UTC, HH:MM');
const Freeze = z.strictObject({
  /** Absent: every day. */
  days: z
    .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
    .min(1)
    .optional(),
  from: clock,
  until: clock,
  reason: z.string().min(1).max(200),
});

/** A remediation policy as its YAML says it. */
export const PolicySchema = z.strictObject({
  kind: z.literal('RemediationPolicy'),
  metadata: z.strictObject({ name: kebab, version: z.int().min(1) }),
  spec: z.strictObject({
    /** `observe` and `suggest` never act; `approve` asks a person first; `auto` acts. */
    autonomy: z.enum(['observe', 'suggest', 'approve', 'auto']),
    /** What it may act on; nothing else. */
    scope: z.strictObject({ environments: z.array(pattern).min(1), services: z.array(pattern).min(1) }),
    match: z.strictObject({
      slis: z.array(z.enum(['errors', 'latency'])).min(1),
      cause: z.enum(['version', 'service', 'instance']),
    }),
    conditions: z.array(Condition).min(1).max(20),
    action: Action,
    /** How long an order may wait to be started. */
    ttlSeconds: z.int().min(1).max(86_400),
    limits: Limits,
    /** When nothing is done, UTC. */
    freeze: z.array(Freeze).max(20).default([]),
    /** With `approve`: no answer within this is a no. */
    approval: z.strictObject({ expiresSeconds: z.int().min(5).max(86_400) }).default({ expiresSeconds: 600 }),
    /** After an action: how long to wait, then within how long it must be well. */
    verify: z.strictObject({
      stabilizeSeconds: z.int().min(0).max(3_600),
      windowSeconds: z.int().min(1).max(86_400),
    }),
  }),
});
/** A policy as written, before what it leaves out is filled in. */
export type PolicyText = z.infer<typeof PolicySchema>;
