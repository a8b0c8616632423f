import { z } from 'zod';
import { ApiConfig } from './config.ts';

/** Settings of an API that is a process of its own. */
export const ApiProcessConfig = ApiConfig.unwrap()
  .extend({
    policiesDir: z
      .string()
      .default('')
      .describe('Folder of policies, objectives and bindings (*.yaml) to be put on record at the start.'),
    warmupWindows: z
      .int()
      .min(2)
      .max(10_000)
      .default(30)
      .describe('As warmupWindows of the detector: it says when the warm-up of a service ends.'),
    consoleDir: z
      .string()
      .default('')
      .describe('Folder of the built console ("npm run console:build -- DIR"); empty: the API serves none.'),
  })
  .readonly();
