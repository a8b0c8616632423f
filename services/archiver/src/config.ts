import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@flyball/core';
import { z } from 'zod';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const FOLDER = /^[A-Za-z0-9][\w.:-]*(\/[A-Za-z0-9][\w.:-]*)*$/;

/** Settings of the archiver that an operator may change. Read once, at start. */
export const ArchiverConfig = z
  .strictObject({
    archiveUrl: z
      .string()
      .default('')
      .describe('Where the archive is: file:///DIR or s3://BUCKET/PREFIX; empty: beside the checkpoints.'),
    segmentMs: z
      .int()
      .min(SECOND_MS)
      .max(24 * HOUR_MS)
      .default(HOUR_MS)
      .describe('Records of one slot of log time of so many ms go into one segment; more of it waits to be archived.'),
    segmentBytes: z
      .int()
      .min(4 * 1024)
      .max(64 * MIB)
      .default(8 * MIB)
      .describe('A segment is cut before it holds more than this many bytes of records, uncompressed.'),
    idleCutMs: z
      .int()
      .min(0)
      .default(5 * MINUTE_MS)
      .describe('How long in ms after the end of a slot a partition that fell silent is still waited for.'),
    bufferBytes: z
      .int()
      .min(0)
      .default(64 * MIB)
      .describe('Most bytes of memory for records of open segments; of other segments the records are read twice.'),
    pollMs: z.int().min(10).default(SECOND_MS).describe('How long in ms to rest when nothing is new.'),
    trimEveryMs: z
      .int()
      .min(10)
      .default(MINUTE_MS)
      .describe('How often in ms the log is trimmed and old archive is deleted.'),
    rawLogMs: z
      .int()
      .min(0)
      .default(24 * HOUR_MS)
      .describe('How long in ms raw telemetry stays in the log at least, unless logBytes wants it gone.'),
    derivedLogMs: z
      .int()
      .min(0)
      .default(24 * HOUR_MS)
      .describe('The same for derived topics. Below 70 minutes a start of the API shows less than an hour of windows.'),
    logBytes: z
      .int()
      .min(0)
      .default(0)
      .describe(
        'Most bytes of archived records that stay in the log, over the partitions of one process; 0: no limit.',
      ),
    archiveMs: z
      .int()
      .min(0)
      .default(0)
      .describe('How long in ms archived records are kept; 0: for ever. Facts that the log keeps are never deleted.'),
    archiveBytes: z
      .int()
      .min(0)
      .default(0)
      .describe('Most bytes of the archive, over the partitions of one process, the oldest goes first; 0: no limit.'),
    residency: z
      .record(z.string().min(1), z.string().regex(FOLDER, 'a prefix is plain names between slashes'))
      .default({})
      .describe('Prefix of the objects of a tenant, by tenant, such as {"acme":"eu"}; others have none.'),
  })
  .readonly();
export type ArchiverConfig = z.infer<typeof ArchiverConfig>;

/** Where one process on one machine differs from the defaults: everything is bounded. */
export const ONE_MACHINE: Partial<ArchiverConfig> = {
  bufferBytes: 24 * MIB,
  rawLogMs: HOUR_MS,
  derivedLogMs: 6 * HOUR_MS,
  logBytes: 2 * GIB,
  archiveMs: 7 * 24 * HOUR_MS,
  archiveBytes: 10 * GIB,
};
