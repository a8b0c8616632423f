import { z } from 'zod';

/** Why a gate refuses, and why an actuator rejects. Public API: stable, lower snake case. */
export const GateReason = z.enum([
  ...(['kill_switch', 'autonomy', 'scope', 'no_target', 'stale_telemetry', 'duplicate', 'target_busy'] as const),
  ...(['cooldown', 'ineffective_chain', 'blast_budget', 'rate_budget', 'systemic', 'blind'] as const),
  ...(['veto_preexisting', 'insufficient_evidence', 'policy_condition'] as const),
  ...(['services_budget', 'freeze', 'silenced', 'approval'] as const),
]);
export type GateReason = z.infer<typeof GateReason>;

/** One gate, passed or not. All are asked, also after the first refusal. */
export const GateResult = z.object({
  gate: GateReason,
  passed: z.boolean(),
  /** What was found, with its numbers: `age 1.2 s, at most 10 s`. */
  detail: z.string(),
});
export type GateResult = z.infer<typeof GateResult>;
