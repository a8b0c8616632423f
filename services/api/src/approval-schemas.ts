import { z } from 'zod';

/** What a person is asked before a command may be issued, or was. */
export const ApprovalView = z.object({
  commandId: z.string(),
  /** SHA-256 of the order, hex: an answer must name it. */
  digest: z.string(),
  incidentId: z.string(),
  environment: z.string(),
  service: z.string(),
  /** `rollback checkout v2 -> v1`. */
  action: z.string(),
  /** `<name>@<version>`. */
  policy: z.string(),
  requestedAtMs: z.number(),
  /** No answer until then is a no. */
  expiresAtMs: z.number(),
  evidence: z.array(z.string()),
  blast: z.object({ trafficRatio: z.number(), services: z.array(z.string()) }),
  status: z.enum(['pending', 'approved', 'denied', 'expired']),
  /** Who answered; '' while nobody has. */
  actor: z.string(),
});
export type ApprovalView = z.infer<typeof ApprovalView>;

export const AnswerRequest = z.strictObject({
  verdict: z.enum(['approve', 'deny']),
  digest: z.string().min(1).max(100),
  reason: z.string().max(1_000).default(''),
});
