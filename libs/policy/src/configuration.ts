import { z } from 'zod';
import { driverProblem } from './drivers.ts';
import { parsePolicy, type Policy } from './parse.ts';
import { invalid, kindOf, type Problem, readYaml } from './yaml-document.ts';

const DAY_MS = 86_400_000;
const name = z.string().min(1).max(200);

/** What a service promises, as its YAML says it: of failures, or with `sli: latency` and `thresholdMs` of durations. */
const SloSchema = z.strictObject({
  kind: z.literal('ServiceLevelObjective'),
  metadata: z.strictObject({ name }),
  spec: z.strictObject({
    environment: name,
    service: name,
    sli: z.enum(['errors', 'latency']).default('errors'),
    thresholdMs: z.number().positive().max(3_600_000).optional(),
    /** Share of requests that are good, 0 to 1: 0.99. */
    objectiveRatio: z.number().gt(0).lt(1),
    windowDays: z.number().min(1).max(90).default(30),
  }),
});

/** Which target a service is, as its YAML says it. */
const BindingSchema = z.strictObject({
  kind: z.literal('TargetBinding'),
  metadata: z.strictObject({ name }),
  spec: z.strictObject({
    environment: name,
    service: name,
    target: z.strictObject({
      driver: name,
      name,
      fencing: z.enum(['resourceVersion', 'generation', 'none']).optional(),
    }),
  }),
});

/** What a configuration file says, by its `kind`. */
export type Configuration =
  | { readonly kind: 'policy'; readonly policy: Policy }
  | {
      readonly kind: 'slo';
      readonly environment: string;
      readonly service: string;
      readonly sli: 'errors' | 'latency';
      /** Of `latency` alone: a request that takes longer is not good. */
      readonly thresholdMs?: number;
      readonly objectiveRatio: number;
      readonly windowMs: number;
    }
  | ({ readonly kind: 'binding' } & z.infer<typeof BindingSchema>['spec']);

/**
 * Reads a file of configuration: a `RemediationPolicy`, a `ServiceLevelObjective` or a `TargetBinding`.
 *
 * @param drivers - what the actuator can act through; `undefined` where nobody here can tell.
 * @throws {RejectedError} `POLICY_INVALID`; the message lists every problem with line and column.
 */
export function parseConfiguration(text: string, drivers?: readonly string[]): Configuration {
  const kind = kindOf(text);
  switch (kind) {
    case 'RemediationPolicy':
      return { kind: 'policy', policy: parsePolicy(text) };
    case 'ServiceLevelObjective': {
      const { windowDays, ...spec } = readYaml(text, SloSchema, thresholdProblems).spec;
      const { thresholdMs, ...rest } = spec;
      return { kind: 'slo', ...rest, ...(thresholdMs && { thresholdMs }), windowMs: windowDays * DAY_MS };
    }
    case 'TargetBinding':
      return { kind: 'binding', ...readYaml(text, BindingSchema, (data) => driverProblems(data, drivers)).spec };
    default:
      throw invalid([
        `1:1 kind: ${kind === '' ? 'there is none' : `no kind ${kind}`}, but RemediationPolicy, ServiceLevelObjective or TargetBinding`,
      ]);
  }
}

function driverProblems(
  { spec: { target } }: z.infer<typeof BindingSchema>,
  drivers: readonly string[] | undefined,
): Problem[] {
  const text = driverProblem(target.driver, drivers);
  return text === '' ? [] : [{ path: ['spec', 'target', 'driver'], text }];
}

function thresholdProblems({ spec: { sli, thresholdMs } }: z.infer<typeof SloSchema>): Problem[] {
  if (sli === 'latency' && thresholdMs === undefined) {
    return [{ path: ['spec', 'sli'], text: 'latency needs thresholdMs: a request that takes longer is not good' }];
  }
  if (sli === 'errors' && thresholdMs !== undefined) {
    return [{ path: ['spec', 'thresholdMs'], text: 'thresholdMs is for sli: latency' }];
  }
  return [];
}
