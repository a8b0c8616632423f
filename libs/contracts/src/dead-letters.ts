import { z } from 'zod';
import { jsonCodec } from './json.ts';

/** A record that could not be read or processed, kept for people. */
export const DeadLetter = z.object({
  lane: z.string(),
  offset: z.int().nonnegative(),
  code: z.string(),
  message: z.string(),
  /** The first bytes of the value, base64. */
  valueBase64: z.string(),
  sizeBytes: z.int().nonnegative(),
});

export type DeadLetter = z.infer<typeof DeadLetter>;

export const deadLettersCodec = jsonCodec('flyball.dead_letters', DeadLetter);
