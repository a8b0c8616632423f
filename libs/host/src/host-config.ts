import { z } from 'zod';

/** Settings that every process has, beside those of its service. */
export const HostConfig = z
  .strictObject({
    logUrl: z.string().min(1).describe('Where the log is: kafka://HOST:PORT[,…][?tls=true&sasl=…&user=…].'),
    objectsUrl: z
      .string()
      .min(1)
      .describe('Where checkpoints and cold data are: file:///DIR or s3://BUCKET/PREFIX[?endpoint=…&region=…].'),
    hotUrl: z.string().default('').describe('Where hot windows are: redis://HOST:PORT; empty: nowhere.'),
    lanes: z
      .int()
      .min(1)
      .max(1_024)
      .default(48)
      .describe('Partitions of every topic of ours. Fixed at birth: another count is refused.'),
    rawPartitions: z
      .int()
      .min(1)
      .max(4_096)
      .default(12)
      .describe('Partitions of the raw topics, when they are created. They may grow.'),
    replicas: z
      .int()
      .min(0)
      .max(9)
      .default(0)
      .describe('Copies of every topic when it is created; 0: as the brokers do.'),
    minInSync: z
      .int()
      .min(0)
      .max(9)
      .default(0)
      .describe('Copies that must have a record before it counts; 0: as the brokers do.'),
    healthHost: z.string().default('127.0.0.1').describe('Address of /livez, /readyz and /metrics.'),
    healthPort: z
      .int()
      .min(0)
      .max(65_535)
      .default(0)
      .describe('Port of /livez, /readyz and /metrics. 0 takes any free one.'),
    tracesUrl: z
      .string()
      .default('')
      .describe('Where this process sends its own traces: http://HOST:4317 of an OTLP/gRPC receiver; empty: nowhere.'),
    drainMs: z
      .int()
      .min(0)
      .default(20_000)
      .describe('How long a stop may take, in ms, before the process goes anyway.'),
    stuckMs: z
      .int()
      .min(10_000)
      .default(300_000)
      .describe('A process none of whose lanes has reached the log for so long, in ms, goes, to be started anew.'),
    logLevel: z
      .enum(['silent', 'error', 'warn', 'info', 'debug'])
      .default('info')
      .describe('Least level that is logged.'),
  })
  .readonly();
export type HostConfig = z.infer<typeof HostConfig>;
