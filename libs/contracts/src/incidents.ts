import { z } from 'zod';
import { GateResult } from './gates.ts';
import { jsonCodec } from './json.ts';
import { AnomalyKind, Signal } from './signals.ts';
import { Subject } from './subject.ts';

/** A suspect: what may have caused an incident, and why. */
export const Cause = z.object({
  rank: z.int().positive(),
  subject: Subject,
  /** The release that is suspected; '' when the service itself is. */
  version: z.string(),
  /** What it is compared with, and would be rolled back to; '' where nothing is known. */
  stableVersion: z.string(),
  /** The instance that it comes down to, or ''. */
  instance: z.string().default(''),
  /** What kind of trouble its strongest evidence tells of. */
  kind: AnomalyKind.default('unknown'),
  score: z.number(),
  reasons: z.array(z.string()),
});
export type Cause = z.infer<typeof Cause>;

/** What a person is asked before a command may be issued. No answer until `expiresAtMs` is a no. */
export const Approval = z.object({
  commandId: z.string(),
  /** Of the order: `commandDigest`. Whoever answers names it. */
  digest: z.string(),
  status: z.enum(['pending', 'approved', 'denied', 'expired']),
  service: z.string(),
  requestedAtMs: z.number(),
  expiresAtMs: z.number(),
  /** What speaks for it, a line each. */
  evidence: z.array(z.string()),
  /** What it touches: share of the service's traffic, 0 to 1, and services that it acts on. */
  blast: z.object({ trafficRatio: z.number().min(0).max(1), services: z.array(z.string()) }),
  /** Who answered, by which word and when; '' and `null` while nobody has. */
  actor: z.string(),
  wordId: z.string(),
  answeredAtMs: z.number().nullable(),
});
export type Approval = z.infer<typeof Approval>;

/** One consideration of one policy: what it wanted, which gates it met, and what came of it. */
export const Decision = z.object({
  decisionId: z.string(),
  atMs: z.number(),
  policy: z.object({ name: z.string(), version: z.int(), digest: z.string() }),
  /** `rollback checkout v2 -> v1`. */
  action: z.string(),
  /** `pending` waits for a person, and becomes one of `approved`, `denied`, `expired`. */
  verdict: z.enum(['acted', 'declined', 'suggested', 'pending', 'approved', 'denied', 'expired']),
  gates: z.array(GateResult),
  sentence: z.string(),
  /** What would have had to be different. */
  counterfactual: z.string(),
  /** The command, or ''. */
  commandId: z.string(),
  /** What a person was asked; `null` where nobody was. */
  approval: Approval.nullable().default(null),
});
export type Decision = z.infer<typeof Decision>;

/** A line of an incident's story. Written by the machine, never changed. */
export const TimelineEntry = z.object({
  atMs: z.number(),
  kind: z.enum([
    ...(['signal', 'change', 'cause', 'decision', 'approval', 'command', 'outcome', 'judgement'] as const),
    ...(['closed', 'blind'] as const),
  ]),
  text: z.string(),
});
export type TimelineEntry = z.infer<typeof TimelineEntry>;

/** An incident, whole, each time it changes. The newest revision is what is. */
export const Incident = z.object({
  type: z.literal('incident'),
  incidentId: z.string(),
  /** Grows with each change, from 1. */
  revision: z.int().positive(),
  tenant: z.string(),
  environment: z.string(),
  status: z.enum(['open', 'mitigating', 'closed']),
  /** How it ended: `null` while it is open. */
  resolution: z.enum(['verified', 'recovered', 'ineffective', 'harmful', 'blind']).nullable(),
  /** Earliest estimated onset, ms. */
  startedAtMs: z.number(),
  openedAtMs: z.number(),
  closedAtMs: z.number().nullable(),
  /** Until when it is silenced, ms: nobody is told of it, and nothing is done; `null` while it is not. */
  silencedUntilMs: z.number().nullable().default(null),
  /** Since when the path before us shows too little of the environment, ms: nothing is concluded; `null` while it shows all. */
  blindSinceMs: z.number().nullable().default(null),
  /** One sentence for people. */
  title: z.string(),
  causes: z.array(Cause),
  /** The newest signal of each episode. */
  signals: z.array(Signal),
  decisions: z.array(Decision),
  commandIds: z.array(z.string()),
  timeline: z.array(TimelineEntry),
});
export type Incident = z.infer<typeof Incident>;

export const incidentsCodec = jsonCodec('flyball.incidents', Incident);
