import { z } from 'zod';

/** Settings of the auditor that an operator may change. Read once, at start. */
export const AuditorConfig = z
  .strictObject({
    dir: z
      .string()
      .min(1)
      .describe('Folder of the signed audit files and of the key that signs them. One process owns it.'),
  })
  .readonly();
export type AuditorConfig = z.infer<typeof AuditorConfig>;
