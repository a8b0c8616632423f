import { MINUTE_MS, SECOND_MS } from '@flyball/core';
import { z } from 'zod';

/** Settings of the notifier that an operator may change. Read once, at start. */
export const NotifierConfig = z
  .strictObject({
    attemptDeadlineMs: z
      .int()
      .min(100)
      .max(60 * SECOND_MS)
      .default(5 * SECOND_MS)
      .describe('How long one request may take, in ms.'),
    backoffMinMs: z
      .int()
      .min(10)
      .default(SECOND_MS)
      .describe('A connection that failed is tried again after so many ms; then after twice as long, and so on.'),
    backoffMaxMs: z
      .int()
      .min(10)
      .default(MINUTE_MS)
      .describe('Longest pause between two attempts, in ms, unless the receiver asks for a longer one.'),
    repeatMs: z
      .int()
      .min(100)
      .default(MINUTE_MS)
      .describe(
        'An Alertmanager is told of open incidents again after so many ms, and forgets them after five times that.',
      ),
    blindAfterMs: z
      .int()
      .min(SECOND_MS)
      .default(2 * MINUTE_MS)
      .describe('Without a window that was seen whole for so many ms we are blind, and the dead-man signal stops.'),
    linkUrl: z
      .string()
      .default('')
      .describe('Where people find an incident, with its id in place of {id}; empty: notifications have no link.'),
    host: z.string().default('127.0.0.1').describe('Address of its own port, which lists and tests connections.'),
    port: z.int().min(0).max(65_535).default(0).describe('Its own port. 0 takes any free one.'),
  })
  .readonly();
export type NotifierConfig = z.infer<typeof NotifierConfig>;
