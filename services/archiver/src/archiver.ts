import { TOPICS } from '@flyball/contracts';
import { codeOf } from '@flyball/core';
import type { LaneHealth, Logger } from '@flyball/host';
import type { Log, Membership, Objects, Partition } from '@flyball/runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, type Registry } from 'prom-client';
import { ArchiveStore } from './archive-store.ts';
import type { ArchiverConfig } from './config.ts';
import { type ArchiverPorts, PartitionArchiver } from './partition-archiver.ts';
import { Retention } from './retention.ts';
import { Trimmer } from './trimmer.ts';

/** How many partitions are archived at a time. */
const AT_ONCE = 4;

/** What an archiver runs on. Clocks are given by tests only. */
export interface ArchiverOptions {
  readonly log: Log;
  /** Where the lanes' checkpoints are. */
  readonly checkpoints: Objects;
  /** Where the archive is; may be the same. */
  readonly archive: Objects;
  readonly logger: Logger;
  readonly registry?: Registry;
  readonly nowMs?: () => number;
}

/**
 * The edge that keeps: writes every topic to object storage, and trims the log behind it. Two archivers of one partition write
 * the same twice; none of them trims what is not archived.
 */
export class Archiver {
  readonly #config: ArchiverConfig;
  readonly #logger: Logger;
  readonly #ports: ArchiverPorts;
  readonly #trimmer: Trimmer;
  readonly #retention: Retention;
  readonly #counters: Counters;
  readonly #stop = new AbortController();
  readonly #partitions = new Map<string, PartitionArchiver>();
  #owned: readonly Partition[] = [];
  #membership: Membership | undefined;
  #done: Promise<void> | undefined;

  constructor(config: ArchiverConfig, options: ArchiverOptions) {
    const { log, checkpoints, archive, logger, registry, nowMs = Date.now } = options;
    const store = new ArchiveStore(archive, config.residency);
    this.#config = config;
    this.#logger = logger;
    this.#counters = countersOf(registry);
    this.#ports = {
      ...{ log, store, config, nowMs, buffered: { bytes: 0 } },
      onArchived: ({ topic, count, objects }) => {
        this.#counters.records.inc({ topic }, count);
        this.#counters.bytes.inc(
          { topic },
          objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        );
      },
      onLost: ({ name }, error) => {
        this.#counters.failures.inc({ code: error.code });
        logger.error(
          { error, name },
          'a segment of the archive is lost; it is archived again where the log still holds it',
        );
      },
    };
    this.#trimmer = new Trimmer({ log, checkpoints, store, config, nowMs });
    this.#retention = new Retention(this.#ports);
  }

  /** Joins those who share the partitions of all topics. @throws {UnavailableError} `TOPIC_UNKNOWN`, `LOG_UNAVAILABLE` */
  async join(): Promise<void> {
    this.#membership = await this.#ports.log.join('archiver', TOPICS, (owned) => (this.#owned = owned));
  }

  /** Joins, and archives until it is stopped. Whatever fails is tried again. */
  async start(): Promise<void> {
    await this.join();
    this.#done = this.#run();
  }

  /** Stops after what is under way. What is not archived yet stays in the log. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    await this.#membership?.leave();
  }

  /** One batch of every partition of this process. @returns whether there may be more. */
  async round(): Promise<boolean> {
    const queue = [...(await this.#own())];
    let isMore = false;
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (await this.#pump(next)) isMore = true;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return isMore;
  }

  /** Trims the log, and deletes what the archive need not hold any more. Failures are logged, and tried again next time. */
  async tidy(): Promise<void> {
    const partitions = [...this.#partitions.values()];
    try {
      for (const { topic, partition, beforeOffset } of await this.#trimmer.trim(partitions)) {
        this.#counters.trims.inc({ topic });
        this.#logger.debug({ topic, partition, beforeOffset }, 'the log was trimmed');
      }
      const deleted = await this.#retention.apply(partitions);
      if (deleted > 0) this.#logger.info({ deleted }, 'the oldest segments of the archive were deleted');
    } catch (error) {
      this.#counters.failures.inc({ code: codeOf(error) });
      this.#logger.warn({ error }, 'log and archive are not tidied; it is tried again');
    }
  }

  /** How every partition is doing. `lag` is what was not read: what was read may wait for its segment to be complete. */
  async health(): Promise<readonly LaneHealth[]> {
    return [...this.#partitions.values()].map(({ at, failure, offset, lag }) => ({
      lane: `archiver:${at.topic}/${at.partition}`,
      state: failure === '' ? 'running' : 'failing',
      ...{ code: failure, hint: '', offset, lag, lagSeconds: 0, isUnclean: false, isAhead: false },
    }));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let tidiedAtMs = performance.now();
    while (!signal.aborted) {
      const isMore = await this.round().catch((error: unknown) => {
        this.#logger.warn({ error }, 'nothing is archived; it is tried again');
        return false;
      });
      if (performance.now() - tidiedAtMs >= this.#config.trimEveryMs) {
        await this.tidy();
        tidiedAtMs = performance.now();
      }
      if (!isMore) await sleep(this.#config.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** The partitions that are this process's now. One that was given away is forgotten: whoever has it asks the manifests. */
  async #own(): Promise<readonly PartitionArchiver[]> {
    const owned = this.#owned;
    const wanted = new Set(owned.map(keyOf));
    for (const [key, partition] of this.#partitions) {
      if (wanted.has(key)) continue;
      partition.restart();
      this.#partitions.delete(key);
    }
    for (const of of owned) {
      if (this.#partitions.has(keyOf(of))) continue;
      const { id, partitions } = await this.#ports.log.describe(of.topic);
      const at = { topic: of.topic, partition: of.partition, topicId: id, partitions };
      this.#partitions.set(keyOf(of), new PartitionArchiver(at, this.#ports));
    }
    return [...this.#partitions.values()];
  }

  async #pump(partition: PartitionArchiver): Promise<boolean> {
    try {
      const isMore = await partition.pump();
      if (partition.failure !== '') this.#logger.info({ ...partition.at }, 'is archived again');
      partition.failure = '';
      return isMore;
    } catch (error) {
      const code = codeOf(error);
      this.#counters.failures.inc({ code });
      if (code !== partition.failure)
        this.#logger.warn({ error, ...partition.at }, 'is not archived; it is tried again');
      partition.failure = code;
      return false;
    }
  }
}

interface Counters {
  readonly records: Counter<'topic'>;
  readonly bytes: Counter<'topic'>;
  readonly trims: Counter<'topic'>;
  readonly failures: Counter<'code'>;
}

function countersOf(registry: Registry | undefined): Counters {
  const registers = registry === undefined ? [] : [registry];
  const counter = <Label extends string>(name: string, help: string, label: Label) =>
    new Counter({ name: `flyball_archiver_${name}_total`, help, labelNames: [label], registers });
  return {
    records: counter('records', 'Records that were archived and read back.', 'topic'),
    bytes: counter('bytes', 'Bytes of archived objects.', 'topic'),
    trims: counter('trims', 'Trims of a partition of the log.', 'topic'),
    failures: counter('failures', 'What failed and is tried again, by error code.', 'code'),
  };
}

function keyOf({ topic, partition }: Partition): string {
  return `${topic}/${partition}`;
}
