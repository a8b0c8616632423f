import { z } from 'zod';
import { ControlMessage } from './control.ts';
import { jsonCodec } from './json.ts';
import { Objective, Sli, Standing } from './objective.ts';
import { OutcomesMessage } from './outcomes.ts';
import { Subject } from './subject.ts';

/** `pass` and `fail` are claims with evidence; everything else is `insufficient`, which never justifies anything. */
export const Verdict = z.enum(['pass', 'fail', 'insufficient']);
export type Verdict = z.infer<typeof Verdict>;

/**
 * Why a verdict is what it is: `regressed`, `healthy`; `insufficient` because of `warming` (no baseline yet),
 * `low_coverage`, `overflow`, `late_data`, `silent` (no requests), `few_requests`, `no_control` (nothing to compare a
 * version with), `undecided` (evidence for neither side yet).
 */
export const VerdictReason = z.enum([
  ...(['regressed', 'healthy', 'warming', 'low_coverage', 'overflow', 'late_data', 'silent'] as const),
  ...(['few_requests', 'no_control', 'undecided'] as const),
]);
export type VerdictReason = z.infer<typeof VerdictReason>;

/** One SLI of a service, or of one of its versions, judged. */
export const SliAssessment = z.object({
  verdict: Verdict,
  reason: VerdictReason,
  /** `errors`: share of failed requests, 0 to 1. `latency`: p95 in ms. `null` when nothing was heard. */
  observed: z.number().nullable(),
  /** The same of what it is compared with: the learned baseline, or the control version. */
  expected: z.number().nullable(),
  /**
   * Evidence against "no worse than expected", as log10 of an e-value: 2 means that odds of 100 : 1 were won by
   * betting against it. Valid at any time one looks.
   */
  log10E: z.number(),
  /** Bad requests (failed; or slower than the control's p95) and requests that the evidence rests on. */
  bad: z.int().nonnegative(),
  requests: z.int().nonnegative(),
  /** Of the comparison's other side; 0 where it is a learned baseline. */
  controlBad: z.int().nonnegative(),
  controlRequests: z.int().nonnegative(),
  /** Estimated start of the regression, ms; `null` unless the verdict is `fail`. */
  sinceMs: z.number().nullable(),
});
export type SliAssessment = z.infer<typeof SliAssessment>;

/** A version of a service that had requests lately. */
export const VersionAssessment = z.object({
  version: z.string(),
  /** `stable` is what the others are compared with; a `canary` came after it. */
  role: z.enum(['stable', 'canary']),
  /** End of the first window that it was seen in, ms. */
  firstSeenMs: z.number(),
  /** Requests and errors in this window. */
  requests: z.int().nonnegative(),
  errors: z.int().nonnegative(),
  /** Share of the service's requests in this window, 0 to 1. */
  trafficRatio: z.number().min(0).max(1),
  p95Ms: z.number().nullable(),
  /** `fail` if one SLI fails, `pass` if all pass, else `insufficient`. */
  verdict: Verdict,
  errorsSli: SliAssessment,
  latencySli: SliAssessment,
});
export type VersionAssessment = z.infer<typeof VersionAssessment>;

/** An instance of a service that had requests in a window. */
export const InstanceAssessment = z.object({
  instance: z.string(),
  requests: z.int().nonnegative(),
  errors: z.int().nonnegative(),
  p95Ms: z.number().nullable(),
  /** `fail` if one SLI fails where its siblings' do not, `pass` if all pass, else `insufficient`. */
  verdict: Verdict,
  errorsSli: SliAssessment,
  latencySli: SliAssessment,
});
export type InstanceAssessment = z.infer<typeof InstanceAssessment>;

/** What the detector thinks of a subject after one window: healthy ones too, or nobody could tell health from silence. */
export const Assessment = z.object({
  type: z.literal('assessment'),
  subject: Subject,
  startMs: z.number(),
  endMs: z.number(),
  coverage: z.number().min(0).max(1),
  requests: z.int().nonnegative(),
  errors: z.int().nonnegative(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  /** No request though it had some before. */
  isSilent: z.boolean(),
  baseline: z.object({
    state: z.enum(['warming', 'learned']),
    errorRatio: z.number().nullable(),
    p95Ms: z.number().nullable(),
    /** Requests per window. */
    requests: z.number().nullable(),
  }),
  errorsSli: SliAssessment,
  latencySli: SliAssessment,
  versions: z.array(VersionAssessment),
  /** Instances that were judged. */
  instances: z.array(InstanceAssessment).optional(),
  /** One of each objective that is on record; missing where there is none. */
  standings: z.array(Standing).optional(),
});
export type Assessment = z.infer<typeof Assessment>;

/** What kind of trouble a signal tells of. Public: recorded data and policies name them. */
export const AnomalyKind = z.enum([
  ...(['errors', 'latency', 'traffic', 'cpu', 'memory', 'network', 'saturation', 'availability', 'unknown'] as const),
]);
export type AnomalyKind = z.infer<typeof AnomalyKind>;

/** Something began to be off, or is further off than ever in this episode. */
export const Signal = z.object({
  type: z.literal('signal'),
  /** From content: subject, series, `sinceMs`. All signals of one episode share it. */
  episodeId: z.string(),
  subject: Subject,
  /** End of the window that it follows from. */
  endMs: z.number(),
  /** Signals up to line 3 have no kind, series, instance, score and unit. */
  kind: AnomalyKind.default('unknown'),
  /** What was looked at, unique within the subject: `errors`, `latency v2`, `self GET /cart`, `gap web`, a metric with its attributes. */
  series: z.string().default(''),
  /** Instance that it concerns, or '' when that is not known or it is all of them. */
  instance: z.string().default(''),
  /** 0 to 1: how sure. Comparable between series; 0.5 is where a series begins to signal. */
  score: z.number().min(0).max(1).default(0.5),
  /** Unit of observed and expected as UCUM says it: `1` for ratios, `ms`, or the metric's own. */
  unit: z.string().default(''),
  /** The SLI that fails, or `null` when it is none: then it explains, and policies do not match it. */
  sli: Sli.nullable(),
  /** '' when it is the service as a whole. */
  version: z.string(),
  sinceMs: z.number(),
  observed: z.number(),
  expected: z.number(),
  log10E: z.number(),
  bad: z.int(),
  requests: z.int(),
  /** Exemplar, hex, or ''. */
  traceId: z.string(),
  /** Name and version of the detector: `errors@1`. */
  detector: z.string(),
  /** The objective that it was judged by, where one is on record: then `observed` and `expected` are burn rates. */
  objective: Objective.optional(),
});
export type Signal = z.infer<typeof Signal>;

/** An episode of signals is over: its series is what it was, or is not heard any more. */
export const Calm = z.object({
  type: z.literal('calm'),
  episodeId: z.string(),
  subject: Subject,
  endMs: z.number(),
});
export type Calm = z.infer<typeof Calm>;

/** Who calls a service, whenever that has changed: an edge of the service graph each. */
export const Callers = z.object({
  type: z.literal('callers'),
  /** Who is called. */
  subject: Subject,
  endMs: z.number(),
  /** Services of the same environment, by name. */
  callers: z.array(z.string()),
});
export type Callers = z.infer<typeof Callers>;

/** Every assessment and signal up to `endMs` of this detector lane is in the topic; sent to every lane. */
export const SignalsClosed = z.object({
  type: z.literal('closed'),
  /** `detector:flyball.windows/0`. */
  from: z.string(),
  endMs: z.number(),
  coverage: z.number(),
});
export type SignalsClosed = z.infer<typeof SignalsClosed>;

/** A fact that the relay copied here, so that the planner has one inbox. */
export const Relayed = z.object({
  type: z.literal('relayed'),
  /** When the fact was appended, ms. */
  atMs: z.number(),
  fact: z.union([ControlMessage, OutcomesMessage]),
});
export type Relayed = z.infer<typeof Relayed>;

/** Everything in `flyball.signals`. */
export const SignalsMessage = z.discriminatedUnion('type', [Assessment, Signal, Calm, Callers, SignalsClosed, Relayed]);
export type SignalsMessage = z.infer<typeof SignalsMessage>;

export const signalsCodec = jsonCodec('flyball.signals', SignalsMessage);
