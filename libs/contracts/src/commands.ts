import { rfc3339 } from '@flyball/core';
import { z } from 'zod';
import { Action, Inverse } from './actions.ts';
import { GateResult } from './gates.ts';
import { jsonCodec } from './json.ts';
import { Subject } from './subject.ts';

/** What a command acts on. Its key orders all commands and outcomes of one target. */
export const Target = z.object({
  tenant: z.string(),
  environment: z.string(),
  /** Name of the driver: `twin`. */
  driver: z.string(),
  name: z.string(),
});
export type Target = z.infer<typeof Target>;

/** Routing key of a target. */
export function targetKey({ tenant, environment, driver, name }: Target): string {
  return [tenant, environment, driver, name].map(encodeURIComponent).join('/');
}

/** How an effect is undone at its end: at once, or in a few steps. */
const Release = z.enum(['step', 'ramp']);

/** Who let a command be issued that nobody but a person may let through. */
const Grant = z.object({ wordId: z.string(), actor: z.string(), atMs: z.number(), digest: z.string() });

/**
 * An order for the actuator, complete enough that nothing is left to decide there. A lease: it is void after
 * `expiresAtMs`, and older than any command of the same target with a higher generation.
 */
const CommandShape = z.object({
  type: z.literal('command'),
  /** Equals `ce_id`. A hash of tenant, environment, target, action, episode and policy digest: live and replay agree. */
  commandId: z.string(),
  target: Target,
  subject: Subject,
  action: Action,
  /** How long the effect lasts, ms, after which the actuator undoes it by itself; `null`: for good. */
  ttlMs: z.int().positive().nullable().default(null),
  /** What undoes it; `null` where nothing does. */
  inverse: Inverse.nullable().default(null),
  release: Release.default('step'),
  /** Order number: the lane's epoch and the offset of the decision. Grows by itself. */
  generation: z.tuple([z.int(), z.int()]),
  issuedAtMs: z.number(),
  expiresAtMs: z.number(),
  incidentId: z.string(),
  policy: z.object({ name: z.string(), version: z.int(), digest: z.string() }),
  decision: z.object({
    decisionId: z.string(),
    /** One sentence for people. */
    sentence: z.string(),
    counterfactual: z.string(),
    gates: z.array(GateResult),
  }),
  /** The approval that it was issued by; `null` where none was needed. */
  approval: Grant.nullable().default(null),
});

/** {@link CommandShape}, of which what must have an end has one. */
export const Command = CommandShape.refine(
  ({ action, ttlMs, inverse }) => (action.type !== 'throttle' && ttlMs === null) || inverse !== null,
  'what ends must say how it is undone',
).refine(({ action, ttlMs }) => action.type !== 'throttle' || ttlMs !== null, 'a throttle must have an end');
export type Command = z.infer<typeof Command>;

const SOURCE = '/flyball/planner';

/** `remediation.commands` as CloudEvents 1.0 in Kafka's binary mode: attributes in headers, JSON as data. */
export const commandsCodec = {
  ...jsonCodec('remediation.commands', Command),
  headers(command: Command): Record<string, string> {
    return cloudEvent({
      id: command.commandId,
      type: `dev.flyball.remediation.command.${command.action.type}`,
      source: SOURCE,
      subject: targetKey(command.target),
      timeMs: command.issuedAtMs,
      correlationId: command.incidentId,
    });
  },
};

/** Context attributes of a CloudEvent. Source: cloudevents spec 1.0.2 and its Kafka protocol binding, section 3.2. */
export function cloudEvent(event: {
  id: string;
  type: string;
  source: string;
  subject: string;
  timeMs: number;
  correlationId: string;
}): Record<string, string> {
  return {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_source: event.source,
    ce_type: event.type,
    ce_subject: event.subject,
    ce_time: rfc3339(event.timeMs),
    ce_partitionkey: event.subject,
    ce_correlationid: event.correlationId,
    'content-type': 'application/json',
  };
}
