import { Archiver } from '@flyball/archiver';
import type { Logger } from '@flyball/host';
import { DirectoryObjects } from '@flyball/objects-dir';
import type { Files, Log, Objects } from '@flyball/runtime';
import type { Registry } from 'prom-client';
import type { StandaloneOptions } from './options.ts';

/** Share of the log's budget that archived records may take: the rest is for what is not archived yet, and for facts. */
const ARCHIVED_RATIO = 0.6;
/** Open segments of all partitions together stay below the budget, so that there is always something to trim. */
const SEGMENT_RATIO = 1 / 256;

/** Starts the archiver into `DIR/archive`, within what the log may take on disk. */
export async function startArchiver(
  { log, files, checkpoints }: { readonly log: Log; readonly files: Files; readonly checkpoints: Objects },
  { archiver: config, standalone: { dir, budgetBytes } }: StandaloneOptions,
  { registry, logger }: { registry: Registry; logger: Logger },
): Promise<Archiver> {
  const logBytes = Math.floor(budgetBytes * ARCHIVED_RATIO);
  const fitting = {
    ...config,
    logBytes: config.logBytes === 0 ? logBytes : Math.min(config.logBytes, logBytes),
    segmentBytes: Math.min(config.segmentBytes, Math.floor(budgetBytes * SEGMENT_RATIO)),
  };
  const archive = new DirectoryObjects(dir, files);
  const archiver = new Archiver(fitting, { log, checkpoints, archive, registry, logger });
  await archiver.start();
  return archiver;
}
