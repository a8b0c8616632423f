import type { WireReader, WireWriter } from '@flyball/core';
import { z } from 'zod';
import { decodeSubject, type Subject, writeSubject } from './subject.ts';

/** What is judged: share of failed requests, and how long requests take. */
export const Sli = z.enum(['errors', 'latency']);
export type Sli = z.infer<typeof Sli>;

/** What a service promises of an SLI: this share of its requests is good, over a window. */
export const Objective = z.object({
  sli: Sli,
  /** Share of good requests, 0 to 1. */
  objectiveRatio: z.number().gt(0).lt(1),
  windowMs: z.number().positive(),
  /** A request that takes longer is not good; `null` where its success is what counts. */
  thresholdMs: z.number().positive().nullable(),
});
export type Objective = z.infer<typeof Objective>;

/** How a service stands with what it promised, at the end of a window. */
export const Standing = z.object({
  objective: Objective,
  /** From when on requests are counted, ms; later than the window's start while the objective is young. */
  sinceMs: z.number(),
  requests: z.int().nonnegative(),
  bad: z.int().nonnegative(),
  /** Share of the budget that is left of what these requests allow: 1 is all, below 0 it is overdrawn. */
  budgetLeftRatio: z.number(),
  /** How fast the budget burns; 1 uses it up just at the end of the window. */
  burns: z.array(
    z.object({ overMs: z.number(), rate: z.number(), requests: z.int().nonnegative(), bad: z.int().nonnegative() }),
  ),
});
export type Standing = z.infer<typeof Standing>;

/** An objective on its way to who judges the subject. It holds for windows that end at `atMs` or later, until the next one. */
export interface ObjectiveSet {
  readonly type: 'objective';
  readonly subject: Subject;
  readonly objective: Objective;
  /** When the word was put on record, ms of log time. */
  readonly atMs: number;
}

/** Writes the fields of an objective that was set. */
export function writeObjective(writer: WireWriter, { subject, objective, atMs }: ObjectiveSet): void {
  writer.message(1, (body) => writeSubject(body, subject));
  writer.varint(2, Sli.options.indexOf(objective.sli)).double(3, objective.objectiveRatio);
  writer
    .double(4, objective.windowMs)
    .double(5, objective.thresholdMs ?? 0)
    .varint(6, atMs);
}

/** Reads an objective that ends at `end`. */
export function decodeObjective(reader: WireReader, end: number): ObjectiveSet {
  let subject: Subject | undefined;
  let [sli, objectiveRatio, windowMs, thresholdMs, atMs] = [0, 0, 0, 0, 0];
  while (reader.next(end)) {
    const { field } = reader;
    if (field === 1) subject = decodeSubject(reader, reader.lengthEnd(end));
    else if (field === 2) sli = reader.varintField(end);
    else if (field === 3) objectiveRatio = reader.doubleField(end);
    else if (field === 4) windowMs = reader.doubleField(end);
    else if (field === 5) thresholdMs = reader.doubleField(end);
    else if (field === 6) atMs = reader.varintField(end);
    else reader.skip(end);
  }
  const known = Sli.options[sli] ?? reader.fail('SLI');
  const objective = { sli: known, objectiveRatio, windowMs, thresholdMs: thresholdMs === 0 ? null : thresholdMs };
  return { type: 'objective', subject: subject ?? reader.fail('no subject'), objective, atMs };
}
