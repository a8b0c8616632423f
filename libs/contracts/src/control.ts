import { z } from 'zod';
import { jsonCodec } from './json.ts';
import { Sli } from './objective.ts';

const word = {
  /** From the writer: unique, so that a word that was sent twice counts once. */
  wordId: z.string(),
  /** Who said it: `token`, `cli`, `demo`, `twin`. */
  actor: z.string(),
  tenant: z.string(),
};

/** Stop: no command is issued, and the actuator starts no effect. */
const PauseWord = z.object({ type: z.literal('pause'), ...word, reason: z.string() });
/** Go on. No word on record means paused. */
const ResumeWord = z.object({ type: z.literal('resume'), ...word, reason: z.string() });

/** A policy enters the line as a record: what was decided under it can be decided again. */
const PolicyWord = z.object({
  type: z.literal('policy'),
  ...word,
  name: z.string(),
  /** The YAML as written. */
  text: z.string(),
  /** SHA-256 of `text`, hex. */
  digest: z.string(),
});

/** Which target a service of an environment is, and how it is reached. Without one there is `no_target`. */
const BindingWord = z.object({
  type: z.literal('binding'),
  ...word,
  environment: z.string(),
  service: z.string(),
  target: z.object({
    /** Name of the driver: `twin`. */
    driver: z.string(),
    /** What the driver calls it, e.g. the name of a rollout. */
    name: z.string(),
    /** What the driver says of itself: where nothing keeps an older effect from landing late, a person must approve. */
    fencing: z.enum(['resourceVersion', 'generation', 'none']).optional(),
  }),
});

/** Calls between services that no trace shows, e.g. of a fleet that sends metrics alone. Adds to what traces show. */
const TopologyWord = z.object({
  type: z.literal('topology'),
  ...word,
  environment: z.string(),
  edges: z.array(z.object({ caller: z.string(), callee: z.string() })).max(10_000),
});

/** What a service promises: a share of its requests is good, over a window. The newest word of each SLI counts. */
export const SloWord = z.object({
  type: z.literal('slo'),
  ...word,
  environment: z.string(),
  service: z.string(),
  /** What makes a request good: that it does not fail, or that it takes at most `thresholdMs`. Missing means `errors`. */
  sli: Sli.optional(),
  /** For `latency` only, and always there. */
  thresholdMs: z.number().positive().optional(),
  /** Share of good requests, 0 to 1. */
  objectiveRatio: z.number().gt(0).lt(1),
  windowMs: z.number().positive(),
});
export type SloWord = z.infer<typeof SloWord>;

/** An answer to what a person was asked. It counts only with the digest of what was shown, once, and in time. */
const ApprovalAnswer = { ...word, commandId: z.string(), digest: z.string(), reason: z.string() };
const ApproveWord = z.object({ type: z.literal('approve'), ...ApprovalAnswer });
const DenyWord = z.object({ type: z.literal('deny'), ...ApprovalAnswer });
export type AnswerWord = z.infer<typeof ApproveWord> | z.infer<typeof DenyWord>;

/** Nobody is told of a service's trouble, and nothing is done about it, until `untilMs`. All is still recorded. */
export const SilenceWord = z.object({
  type: z.literal('silence'),
  ...word,
  silenceId: z.string(),
  environment: z.string(),
  /** A literal, or a beginning and `*`. */
  service: z.string(),
  reason: z.string(),
  untilMs: z.number(),
});
export type SilenceWord = z.infer<typeof SilenceWord>;
const UnsilenceWord = z.object({
  type: z.literal('unsilence'),
  ...word,
  environment: z.string(),
  silenceId: z.string(),
});

/** No command is issued for an environment within `[fromMs, untilMs)` of log time. */
export const FreezeWord = z.object({
  type: z.literal('freeze'),
  ...word,
  freezeId: z.string(),
  environment: z.string(),
  reason: z.string(),
  fromMs: z.number(),
  untilMs: z.number(),
});
export type FreezeWord = z.infer<typeof FreezeWord>;
const UnfreezeWord = z.object({ type: z.literal('unfreeze'), ...word, environment: z.string(), freezeId: z.string() });

/** Something was changed in the world: a deploy, a flag, a scale. */
export const ChangeWord = z.object({
  type: z.literal('change'),
  ...word,
  changeId: z.string(),
  environment: z.string(),
  service: z.string(),
  kind: z.enum(['deploy', 'rollback', 'flag', 'scale', 'config']),
  /** Version that it leads to; '' where it has none. */
  version: z.string(),
  summary: z.string(),
});
export type ChangeWord = z.infer<typeof ChangeWord>;

/** What a person says of an incident. Nothing is decided by it. */
const about = {
  environment: z.string(),
  incidentId: z.string(),
  /** The first word of an id counts. */ remarkId: z.string(),
};
export const NoteWord = z.object({ type: z.literal('note'), ...word, ...about, text: z.string() });
/** Whether Flyball was right about an incident. The newest one of an incident counts. */
export const FeedbackWord = z.object({
  type: z.literal('feedback'),
  ...word,
  ...about,
  verdict: z.enum(['right', 'wrong']),
  /** The service that was the cause instead, or ''. */
  cause: z.string(),
  reason: z.string(),
});
export type FeedbackWord = z.infer<typeof FeedbackWord>;

/** Everything in `flyball.control`: operators' words and change events, kept for ever. */
export const ControlMessage = z.discriminatedUnion('type', [
  PauseWord,
  ResumeWord,
  PolicyWord,
  BindingWord,
  TopologyWord,
  SloWord,
  ApproveWord,
  DenyWord,
  SilenceWord,
  UnsilenceWord,
  FreezeWord,
  UnfreezeWord,
  ChangeWord,
  NoteWord,
  FeedbackWord,
]);
export type ControlMessage = z.infer<typeof ControlMessage>;

export const controlCodec = jsonCodec('flyball.control', ControlMessage);
