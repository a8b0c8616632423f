import { MINUTE_MS, SECOND_MS } from '@flyball/core';
import { z } from 'zod';

/** Settings of the planner that an operator may change. Read once, at start; part of its behaviour. */
export const PlannerConfig = z
  .strictObject({
    commandTtlMs: z
      .int()
      .min(SECOND_MS)
      .default(MINUTE_MS)
      .describe('How long, in ms, a command may still be started. An order that came too late is void.'),
    changeWindowMs: z
      .int()
      .min(SECOND_MS)
      .default(30 * MINUTE_MS)
      .describe('A change at most this many ms before, or after, the onset of a fault is a suspect.'),
    vetoToleranceMs: z
      .int()
      .min(0)
      .default(20 * SECOND_MS)
      .describe(
        'A fault that began more than this many ms before a change cannot be blamed on it: one window and a bit.',
      ),
    joinMs: z
      .int()
      .min(0)
      .default(MINUTE_MS)
      .describe('What begins within so many ms after an incident began, and is related to it, belongs to it.'),
    gaugeStrengthMin: z
      .number()
      .min(1)
      .max(8)
      .default(3)
      .describe('A metric alone opens an incident when its evidence is so many times what it needs to signal.'),
    staleMs: z
      .int()
      .min(MINUTE_MS)
      .default(10 * MINUTE_MS)
      .describe('An incident of services that were not heard for so many ms is closed as blind: nobody knows.'),
    recoverWindows: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe('So many healthy windows in a row verify a command, or close an incident.'),
    silentServicesMin: z
      .int()
      .min(2)
      .default(5)
      .describe('At least so many services must fall silent together before it counts as blindness.'),
    silentRatio: z
      .number()
      .min(0.05)
      .max(1)
      .default(0.3)
      .describe('And more than this share of the environment’s services, 0 to 1.'),
    silentWithinMs: z
      .int()
      .min(SECOND_MS)
      .default(MINUTE_MS)
      .describe('Within how many ms they must fall silent to count as together.'),
  })
  .readonly();
export type PlannerConfig = z.infer<typeof PlannerConfig>;
