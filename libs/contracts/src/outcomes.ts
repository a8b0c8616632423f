import { z } from 'zod';
import { cloudEvent, Target, targetKey } from './commands.ts';
import { jsonCodec } from './json.ts';

const about = {
  commandId: z.string(),
  target: Target,
  incidentId: z.string(),
};

/**
 * An actuator's intent. Only the first claim of a command in the log may act; who finds another's looks at the
 * target and reports.
 */
export const Claim = z.object({
  type: z.literal('claim'),
  ...about,
  /** Names one start of one actuator. */
  run: z.string(),
  claimedAtMs: z.number(),
});
export type Claim = z.infer<typeof Claim>;

/** Why a command was not carried out. */
export const RejectReason = z.enum([
  ...([
    'kill_switch',
    'stale_generation',
    'precondition',
    'no_driver',
    'claim_expired',
    'replay',
    'adapter_error',
    'not_approved',
  ] as const),
]);
export type RejectReason = z.infer<typeof RejectReason>;

/**
 * What became of a command. Final, but for `applied`, which the planner's judgement follows; and `reverted` at the end
 * of an effect that was not for good.
 */
export const Outcome = z.object({
  type: z.literal('outcome'),
  ...about,
  /**
   * `unknown`: an attempt was made, and nobody can tell whether it took effect. `reverted`: its time was over, and the
   * target does not show it any more.
   */
  status: z.enum(['applied', 'expired', 'rejected', 'failed', 'unknown', 'reverted']),
  /** Set with `rejected` and `failed`. */
  reason: RejectReason.nullable(),
  detail: z.string(),
  run: z.string(),
  /** Whether this run tried, or found out by reading the target what another run's attempt did. */
  by: z.enum(['attempt', 'reading', 'refusal']),
  /** What the target showed, e.g. `v2 25 %`. */
  before: z.string(),
  after: z.string(),
  atMs: z.number(),
});
export type Outcome = z.infer<typeof Outcome>;

/** The planner's judgement of an applied command, from assessments after it. */
export const Judgement = z.object({
  type: z.literal('judgement'),
  ...about,
  status: z.enum(['verified', 'ineffective', 'harmful']),
  /** One sentence with the numbers. */
  sentence: z.string(),
  atMs: z.number(),
});
export type Judgement = z.infer<typeof Judgement>;

/** Everything in `remediation.outcomes`. */
export const OutcomesMessage = z.discriminatedUnion('type', [Claim, Outcome, Judgement]);
export type OutcomesMessage = z.infer<typeof OutcomesMessage>;

/** `remediation.outcomes` as CloudEvents 1.0 in binary mode. */
export const outcomesCodec = {
  ...jsonCodec('remediation.outcomes', OutcomesMessage),
  headers(message: OutcomesMessage): Record<string, string> {
    const word = message.type === 'claim' ? 'claimed' : message.status;
    return cloudEvent({
      id: `${message.commandId}.${word}`,
      type: `dev.flyball.remediation.outcome.${word}`,
      source: message.type === 'judgement' ? '/flyball/planner' : '/flyball/actuator',
      subject: targetKey(message.target),
      timeMs: message.type === 'claim' ? message.claimedAtMs : message.atMs,
      correlationId: message.incidentId,
    });
  },
};
