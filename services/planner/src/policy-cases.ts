import { z } from 'zod';

const verdict = z.enum(['pass', 'fail', 'insufficient']);
const ratio = z.number().min(0).max(1);

/** What a policy is shown. What a case leaves out is such that every gate would let a sound policy pass. */
const Given = z.strictObject({
  environment: z.string().default('demo'),
  /** Log time, RFC 3339: for freeze windows. */
  at: z.iso.datetime().default('2026-01-07T12:00:00Z'),
  cause: z
    .strictObject({
      version: z.string().default('v2'),
      stableVersion: z.string().default('v1'),
      instance: z.string().default('instance-1'),
      sli: z.enum(['errors', 'latency']).default('errors'),
      verdict: verdict.default('fail'),
      log10E: z.number().default(6),
      observed: z.number().default(0.3),
      expected: z.number().default(0.01),
      requests: z.int().default(100),
      bad: z.int().default(30),
      trafficRatio: ratio.default(0.1),
      ageSeconds: z.number().default(30),
      /** The fault of the service began so long before the version came. */
      leadSeconds: z.number().default(0),
    })
    .prefault({}),
  service: z
    .strictObject({
      name: z.string().default('checkout'),
      requests: z.int().default(1_000),
      errorRatio: ratio.default(0.03),
      p95Ms: z.number().default(100),
      baselineRequests: z.number().default(1_000),
      baselineErrorRatio: ratio.default(0.01),
      baselineP95Ms: z.number().default(100),
    })
    .prefault({}),
  state: z
    .strictObject({
      isPaused: z.boolean().default(false),
      isBound: z.boolean().default(true),
      isFenced: z.boolean().default(true),
      isBlind: z.boolean().default(false),
      isSilenced: z.boolean().default(false),
      isFrozen: z.boolean().default(false),
      coverage: ratio.default(1),
      evidenceAgeSeconds: z.number().min(0).default(1),
      /** Absent: nothing was done to this target before. */
      lastAction: z
        .strictObject({
          secondsAgo: z.number().min(0),
          judgement: z.enum(['verified', 'ineffective', 'harmful']).default('verified'),
        })
        .optional(),
      services: z.int().min(1).max(1_000).default(6),
      failingServices: z.int().min(0).default(1),
    })
    .prefault({}),
});
export type Given = z.infer<typeof Given>;

/** Cases of a policy: a file beside it, `<name>.test.yaml`. */
export const PolicyCases = z.strictObject({
  kind: z.literal('RemediationPolicyTest'),
  cases: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        given: Given.prefault({}),
        expect: z.strictObject({
          verdict: z.enum(['acted', 'pending', 'suggested', 'declined', 'unmatched']),
          /** Gates that refuse, in any order; absent: none. */
          gates: z.array(z.string()).default([]),
        }),
      }),
    )
    .min(1)
    .max(200),
});
export type PolicyCases = z.infer<typeof PolicyCases>;
