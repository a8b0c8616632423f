import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@flyball/core';
import { z } from 'zod';

/** Settings of the aggregator that an operator may change. Read once, at start; part of its behaviour. */
export const AggregatorConfig = z
  .strictObject({
    windowMs: z
      .int()
      .min(SECOND_MS)
      .max(10 * MINUTE_MS)
      .default(10 * SECOND_MS)
      .describe('Window size in ms. Smaller reacts faster and costs more; memory grows as 1/x.'),
    graceMs: z
      .int()
      .min(0)
      .default(10 * SECOND_MS)
      .describe('How long in ms a window waits after its end for late data before it is emitted.'),
    stepMs: z
      .int()
      .min(100)
      .max(10 * SECOND_MS)
      .default(SECOND_MS)
      .describe('Records of a raw partition between two steps of this many ms are merged into one partial.'),
    blindGapMs: z
      .int()
      .min(SECOND_MS)
      .default(5 * SECOND_MS)
      .describe('A longer hole in ms between the entries of a raw partition is blindness, not silence.'),
    settleMs: z
      .int()
      .min(0)
      .default(60 * SECOND_MS)
      .describe('Windows that end within this many ms after blindness are not covered: senders back off.'),
    stallMs: z
      .int()
      .min(3 * SECOND_MS)
      .default(30 * SECOND_MS)
      .describe(
        'A raw partition that answers no writer for so long, in ms, is down: windows go on without it, uncovered.',
      ),
    earlyMs: z
      .int()
      .positive()
      .default(60 * SECOND_MS)
      .describe('A span that ends later than this ahead of log time, in ms, is refused as early.'),
    subjectTtlMs: z
      .int()
      .min(MINUTE_MS)
      .default(HOUR_MS)
      .describe('A subject that was silent for so long, in ms of covered time, gets no more windows.'),
    subjectsMax: z
      .int()
      .positive()
      .default(2_000)
      .describe('Most subjects per lane. What is above goes into one overflow subject.'),
    seriesMax: z
      .int()
      .positive()
      .default(50_000)
      .describe('Most series per lane, over all subjects and open windows. What is above goes into overflow series.'),
    operationsMax: z.int().positive().max(150).default(100).describe('Most operations per subject and window.'),
    versionsMax: z.int().positive().max(20).default(20).describe('Most versions per subject and window.'),
    instancesMax: z.int().positive().max(50).default(50).describe('Most instances per subject and window.'),
    callersMax: z.int().positive().max(100).default(50).describe('Most callers per subject and window.'),
    metricsMax: z
      .int()
      .positive()
      .max(500)
      .default(500)
      .describe('Most metric streams per subject and window. With more a partial may not fit a record of the log.'),
    templatesMax: z.int().positive().max(500).default(100).describe('Most log templates per subject and window.'),
    traceSampleRatio: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe(
        'Share of traces, by trace id, that are joined into edges and self times, 0 to 1. Lower it with the load.',
      ),
    traceKeepMs: z
      .int()
      .min(0)
      .max(10 * MINUTE_MS)
      .default(10 * SECOND_MS)
      .describe('How long in ms, after its window, a span waits for a parent that ends later.'),
    traceSpansMax: z
      .int()
      .positive()
      .default(25_000)
      .describe(
        'Spans that a joiner lane holds. Traces that begin above it are not joined; four times as many are the most there are.',
      ),
  })
  .refine((config) => config.graceMs <= 10 * config.windowMs, {
    message: 'graceMs must be at most ten windows, or state is not bounded',
    path: ['graceMs'],
  })
  .readonly();
export type AggregatorConfig = z.infer<typeof AggregatorConfig>;
