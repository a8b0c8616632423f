import { Assessment, AuditEntry, Command, Objective, OutcomesMessage, VIEWS } from '@flyball/contracts';
import { z } from 'zod';

/** An error as RFC 9457 says it, with a stable code and what to do. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  fix: z.string(),
  requestId: z.string(),
});
export type Problem = z.infer<typeof Problem>;

/** A service, in one line. */
export const ServiceSummary = z.object({
  /** `<environment>:<service>`, each percent-encoded. */
  id: z.string(),
  environment: z.string(),
  service: z.string(),
  state: z.enum(['warming', 'ok', 'failing', 'unknown']),
  /** Length of the newest window; `null` while there is none. */
  windowMs: z.number().nullable(),
  /** In the newest window. */
  requests: z.int(),
  errors: z.int(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  coverage: z.number(),
  versions: z.array(z.string()),
  /** What is left of the budget that has least left, 1 is all, below 0 it is overdrawn; `null` where nothing is promised. */
  budgetLeftRatio: z.number().nullable(),
  lastSeenAtMs: z.number().nullable(),
});
export type ServiceSummary = z.infer<typeof ServiceSummary>;

/** Sums of one series over the windows that are kept. */
export const SeriesTotal = z.object({
  view: z.enum(VIEWS),
  name: z.string(),
  /** OTLP span kind of an operation, else 0. */
  kind: z.int(),
  count: z.int(),
  errors: z.int(),
  meanMs: z.number().nullable(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  maxMs: z.number().nullable(),
});
export type SeriesTotal = z.infer<typeof SeriesTotal>;

export const ServiceDetail = ServiceSummary.extend({
  /** Of the windows that are kept. */
  fromMs: z.number().nullable(),
  untilMs: z.number().nullable(),
  spans: z.int(),
  lateSpans: z.int(),
  totals: z.array(SeriesTotal),
  windows: z.array(
    z.object({
      startMs: z.number(),
      endMs: z.number(),
      coverage: z.number(),
      requests: z.int(),
      errors: z.int(),
      p50Ms: z.number().nullable(),
      p95Ms: z.number().nullable(),
      lateSpans: z.int(),
      /** Versions that had requests in it. */
      versions: z.array(
        z.object({ version: z.string(), requests: z.int(), errors: z.int(), p95Ms: z.number().nullable() }),
      ),
    }),
  ),
  assessment: Assessment.nullable(),
  /** What it promises, as it is on record; empty where nothing is. How it stands with that is in the assessment. */
  objectives: z.array(Objective),
});
export type ServiceDetail = z.infer<typeof ServiceDetail>;

/** A command and what became of it. */
export const CommandDetail = z.object({
  command: Command,
  /** The newest word on it. */
  status: z.string(),
  /** Claims, outcomes and judgements, in the order of the log. */
  outcomes: z.array(OutcomesMessage),
});
export type CommandDetail = z.infer<typeof CommandDetail>;

/** An audit entry with its body read. */
export const AuditView = AuditEntry.omit({ body: true, type: true }).extend({ atMs: z.number(), fact: z.unknown() });
export type AuditView = z.infer<typeof AuditView>;

/** Whether automation may act, and who said so. */
export const KillSwitchView = z.object({
  isPaused: z.boolean(),
  actor: z.string(),
  reason: z.string(),
  atMs: z.number().nullable(),
  /** Whether a newer word may be on record that was not read yet. */
  isRebuilding: z.boolean(),
});
export type KillSwitchView = z.infer<typeof KillSwitchView>;

export const ChangeRequest = z.strictObject({
  changeId: z.string().min(1).max(200).optional(),
  environment: z.string().min(1).max(200),
  service: z.string().min(1).max(200),
  kind: z.enum(['deploy', 'rollback', 'flag', 'scale', 'config']),
  version: z.string().max(200).default(''),
  summary: z.string().max(1_000).default(''),
});

export const BindingRequest = z.strictObject({
  environment: z.string().min(1).max(200),
  service: z.string().min(1).max(200),
  target: z.strictObject({
    driver: z.string().min(1).max(100),
    name: z.string().min(1).max(200),
    /** `none`: nothing keeps an older effect from landing late, so that a person must approve what is done. */
    fencing: z.enum(['resourceVersion', 'generation', 'none']).optional(),
  }),
});

export const PauseRequest = z.strictObject({ reason: z.string().max(1_000).default('') });

export const Limit = z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(100) });
export const Id = z.object({ id: z.string().min(1).max(500) });
