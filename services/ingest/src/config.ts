import { SECOND_MS } from '@flyball/core';
import { z } from 'zod';

const MIB = 1024 * 1024;

/** Settings of ingest that an operator may change. Read once, at start. */
export const IngestConfig = z
  .strictObject({
    host: z
      .string()
      .default('127.0.0.1')
      .describe('Address to listen on. Anything but loopback is open to the network.'),
    grpcPort: z.int().min(0).max(65_535).default(4317).describe('Port of OTLP/gRPC. 0 takes any free one.'),
    httpPort: z.int().min(0).max(65_535).default(4318).describe('Port of OTLP/HTTP. 0 takes any free one.'),
    requestBytesMax: z
      .int()
      .min(1_024)
      .max(256 * MIB)
      .default(64 * MIB)
      .describe('Most bytes of a request, before and after decompression. 64 MiB is what OTLP recommends.'),
    recordBytesMax: z
      .int()
      .min(1_024)
      .max(2 * MIB - 64 * 1_024)
      .default(MIB)
      .describe(
        'Requests that wait for the same partition are joined up to this many bytes. Kafka takes 2 MiB, with a tick and all around it.',
      ),
    intakeBytesMax: z
      .int()
      .min(MIB)
      .default(64 * MIB)
      .describe(
        'Most bytes that requests hold together until they are stored, over gRPC once they are there. Beyond it: send again.',
      ),
    pendingBytesMax: z
      .int()
      .min(MIB)
      .default(64 * MIB)
      .describe('Most bytes that wait to be stored. What comes on top is shed with a retryable answer.'),
    ackTimeoutMs: z
      .int()
      .min(100)
      .max(60 * SECOND_MS)
      .default(10 * SECOND_MS)
      .describe('How long a sender waits for its request to be stored, in ms. After it the outcome is unknown.'),
    tickMs: z
      .int()
      .min(100)
      .max(10 * SECOND_MS)
      .default(SECOND_MS)
      .describe(
        'How often each raw partition gets a tick, in ms. Keep it well below the blindGapMs of the aggregator.',
      ),
    earlyMs: z
      .int()
      .positive()
      .default(60 * SECOND_MS)
      .describe('A span that ends later than this ahead of log time, in ms, is rejected.'),
  })
  .readonly();
export type IngestConfig = z.infer<typeof IngestConfig>;
