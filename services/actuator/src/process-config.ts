import { z } from 'zod';
import { ActuatorConfig } from './config.ts';

/** Settings of an actuator that is a process of its own. */
export const ActuatorProcessConfig = ActuatorConfig.unwrap()
  .extend({
    pauseFile: z
      .string()
      .min(1)
      .describe('A file whose presence stops all effects: the third road of the kill switch.'),
    twinUrl: z
      .string()
      .default('')
      .describe('Base URL of a digital twin that commands may act on; empty: there is none.'),
    connectionsFile: z
      .string()
      .default('')
      .describe('A YAML file of named connections that bindings may use, or a folder of such; empty: there are none.'),
  })
  .readonly();
