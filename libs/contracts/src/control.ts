import { z } from 'zod';
import { jsonCodec } from './json.ts';

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
  }),
});

/** Calls between services that no trace shows, e.g. of a fleet that sends metrics alone. Adds to what traces show. */
const TopologyWord = z.object({
  type: z.literal('topology'),
  ...word,
  environment: z.string(),
  edges: z.array(z.object({ caller: z.string(), callee: z.string() })).max(10_000),
});

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

/** Everything in `flyball.control`: operators' words and change events, kept for ever. */
export const ControlMessage = z.discriminatedUnion('type', [
  PauseWord,
  ResumeWord,
  PolicyWord,
  BindingWord,
  TopologyWord,
  ChangeWord,
]);
export type ControlMessage = z.infer<typeof ControlMessage>;

export const controlCodec = jsonCodec('flyball.control', ControlMessage);
