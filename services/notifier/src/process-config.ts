import { z } from 'zod';
import { NotifierConfig } from './config.ts';

/** Settings of a notifier that is a process of its own. */
export const NotifierProcessConfig = NotifierConfig.unwrap()
  .extend({
    connectionsFile: z
      .string()
      .default('')
      .describe('A YAML file of named connections, or a folder of such; empty: nobody is told of anything.'),
  })
  .readonly();
