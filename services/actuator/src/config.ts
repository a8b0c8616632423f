import { SECOND_MS } from '@flyball/core';
import { z } from 'zod';

/** Settings of the actuator that an operator may change. Read once, at start. */
export const ActuatorConfig = z
  .strictObject({
    attemptDeadlineMs: z
      .int()
      .min(100)
      .max(120 * SECOND_MS)
      .default(10 * SECOND_MS)
      .describe('How long one attempt may take, in ms. After it the target is read to find out what happened.'),
    claimGraceMs: z
      .int()
      .min(0)
      .default(5 * SECOND_MS)
      .describe('How long, in ms beyond an attempt’s deadline, another actuator’s claim is left to it.'),
    claimValidMs: z
      .int()
      .min(100)
      .default(5 * SECOND_MS)
      .describe('An attempt starts at most so many ms after its claim, or not at all.'),
    controlAgeMs: z
      .int()
      .min(100)
      .default(SECOND_MS)
      .describe('An effect starts only if flyball.control was read to its end within the last so many ms.'),
    rampStepMs: z
      .int()
      .min(100)
      .max(600 * SECOND_MS)
      .default(15 * SECOND_MS)
      .describe('A throttle is released in four steps; so many ms lie between them.'),
    undoRetryMs: z
      .int()
      .min(100)
      .default(2 * SECOND_MS)
      .describe('A target that did not answer when an effect was to be undone is asked again after so many ms.'),
    host: z.string().default('127.0.0.1').describe('Address of its own port, which takes /pause and /resume.'),
    port: z.int().min(0).max(65_535).default(0).describe('Its own port. 0 takes any free one.'),
  })
  .readonly();
export type ActuatorConfig = z.infer<typeof ActuatorConfig>;
