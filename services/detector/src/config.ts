import { MINUTE_MS } from '@flyball/core';
import { z } from 'zod';

/** Settings of the detector that an operator may change. Read once, at start; part of its behaviour. */
export const DetectorConfig = z
  .strictObject({
    warmupWindows: z
      .int()
      .min(2)
      .max(10_000)
      .default(30)
      .describe('Windows with requests that are learned from before anything is judged.'),
    keepRatio: z
      .number()
      .min(0.9)
      .max(0.99999)
      .default(0.995)
      .describe('Share of what was learned that is kept from window to window, 0 to 1: how slowly normal may drift.'),
    alarmLog10E: z.number().min(1).default(4).describe('Evidence, log10 of an e-value, from which on a service fails.'),
    canaryLog10E: z
      .number()
      .min(1)
      .default(2)
      .describe('Evidence, log10 of an e-value, from which on a version fails against its control.'),
    passLog10E: z
      .number()
      .min(0.5)
      .default(2)
      .describe('Evidence of health, log10 of an e-value, from which on a version passes.'),
    recoverWindows: z.int().min(1).max(100).default(3).describe('So many healthy windows in a row end a failure.'),
    minRequests: z.int().min(1).default(5).describe('With fewer requests a window alone says nothing of health.'),
    minErrorIncrease: z
      .number()
      .min(0)
      .max(1)
      .default(0.02)
      .describe('An error ratio must have risen by at least this much, absolutely, to matter, 0 to 1.'),
    minLatencyRatio: z
      .number()
      .min(1)
      .default(1.25)
      .describe('A p95 must have grown by at least this factor to matter.'),
    minSelfIncreaseMs: z
      .number()
      .min(0)
      .default(5)
      .describe('An own time, or a network gap, must have grown by at least so many ms in its p95 to matter.'),
    sloObjective: z
      .number()
      .min(0.5)
      .max(0.99999)
      .default(0.99)
      .describe('Share of requests that must succeed, 0 to 1, where nothing else is said of a service.'),
    edgeSeriesMax: z
      .int()
      .positive()
      .default(100)
      .describe('Most operations and callers per service whose own times and gaps are judged.'),
    gaugesMax: z.int().positive().default(500).describe('Most metric streams per service that are judged.'),
    logTemplatesMax: z
      .int()
      .positive()
      .default(50)
      .describe('Most templates of error records per service that are judged.'),
    refractoryMs: z
      .int()
      .min(0)
      .default(MINUTE_MS)
      .describe('After a signal the same episode signals again only after so many ms, and only if it got worse.'),
    promoteWindows: z
      .int()
      .min(1)
      .default(30)
      .describe('A version that served so many windows without the stable one becomes the stable one.'),
    versionTtlWindows: z
      .int()
      .min(1)
      .max(1_000)
      .default(5)
      .describe('A canary without requests for so many windows is forgotten.'),
    versionsMax: z.int().min(2).max(20).default(20).describe('Most versions per service that are judged.'),
    subjectsMax: z
      .int()
      .positive()
      .default(4_000)
      .describe('Most services per lane that are judged, and most that have an objective.'),
  })
  .readonly();
export type DetectorConfig = z.infer<typeof DetectorConfig>;
