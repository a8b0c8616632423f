import { z } from 'zod';

/** Settings of the API that an operator may change. Read once, at start. */
export const ApiConfig = z
  .strictObject({
    host: z
      .string()
      .default('127.0.0.1')
      .describe('Address to listen on. Anything but loopback is open to the network.'),
    port: z.int().min(0).max(65_535).default(8080).describe('Port. 0 takes any free one.'),
  })
  .readonly();
export type ApiConfig = z.infer<typeof ApiConfig>;
