import { type Topic, TOPOLOGY } from '@flyball/contracts';
import type { Log, Objects } from '@flyball/runtime';
import { type ArchiveStore, isLost } from './archive-store.ts';
import type { ArchiverConfig } from './config.ts';
import type { ManifestRef } from './names.ts';
import type { PartitionArchiver } from './partition-archiver.ts';
import { readersBound } from './readers.ts';

/** What a trimmer runs on. */
export interface TrimmerPorts {
  readonly log: Log;
  /** Where the lanes' checkpoints are. */
  readonly checkpoints: Objects;
  readonly store: ArchiveStore;
  readonly config: ArchiverConfig;
  /** Wall clock, ms. */
  readonly nowMs: () => number;
}

/** A partition with the segments of it that the log still holds. */
interface Held {
  readonly partition: PartitionArchiver;
  readonly startOffset: number;
  /** In order of offsets, from the start of the log on. */
  readonly refs: readonly ManifestRef[];
  /** How many of them, from the first on, no reader and no gap of the archive holds back. */
  readonly free: number;
  /** How many of them are to go. */
  wanted: number;
}

/** A trim that was made. */
export interface Trimmed {
  readonly topic: string;
  readonly partition: number;
  readonly beforeOffset: number;
}

/**
 * Trims the log: only what is archived and, right before, was read back whole; only what is behind the oldest checkpoint of
 * every lane that reads it; and of that only what is older, or more, than the settings keep.
 */
export class Trimmer {
  readonly #ports: TrimmerPorts;
  readonly #bytes = new Map<string, number>();

  constructor(ports: TrimmerPorts) {
    this.#ports = ports;
  }

  /** Trims partitions of this process. @throws {UnavailableError} from the ports. What was trimmed is trimmed; try again. */
  async trim(partitions: readonly PartitionArchiver[]): Promise<readonly Trimmed[]> {
    const held: Held[] = [];
    for (const partition of partitions) {
      const found = await this.#look(partition);
      if (found !== undefined) held.push(found);
    }
    await this.#wantLess(held);
    const trimmed: Trimmed[] = [];
    for (const each of held) {
      const beforeOffset = await this.#trim(each);
      const { topic, partition } = each.partition.at;
      if (beforeOffset > each.startOffset) trimmed.push({ topic, partition, beforeOffset });
    }
    return trimmed;
  }

  /** What a partition holds, and what of it is free to go and old enough. */
  async #look(partition: PartitionArchiver): Promise<Held | undefined> {
    const { log, checkpoints, store, config, nowMs } = this.#ports;
    const { at, archivedTo = 0 } = partition;
    if (TOPOLOGY[at.topic as Topic]?.isKept !== false) return undefined;
    const { startOffset } = await log.range(at);
    if (archivedTo <= startOffset) return undefined;
    const refs = chainFrom(await store.manifests(at.topic, at), startOffset);
    const { offset } = await readersBound(checkpoints, at);
    const bound = Math.min(offset, archivedTo);
    const free = countWhile(refs, ({ lastOffset }) => lastOffset < bound);
    const keepMs = at.topic.startsWith('otlp_') ? config.rawLogMs : config.derivedLogMs;
    const old = countWhile(refs, ({ untilMs }) => untilMs <= nowMs() - keepMs);
    return { partition, startOffset, refs, free, wanted: Math.min(free, old) };
  }

  /** Where the log holds more than it may, the oldest segments of all partitions go first. */
  async #wantLess(held: readonly Held[]): Promise<void> {
    const { logBytes } = this.#ports.config;
    if (logBytes === 0) return;
    const known = new Set(held.flatMap(({ refs }) => refs.map(({ name }) => name)));
    for (const name of this.#bytes.keys()) if (!known.has(name)) this.#bytes.delete(name);
    let bytes = 0;
    for (const { refs, wanted } of held) {
      for (const ref of refs.slice(wanted)) bytes += await this.#bytesOf(ref);
    }
    while (bytes > logBytes) {
      const next = held
        .filter(({ wanted, free }) => wanted < free)
        .reduce<Held | undefined>((oldest, each) => (untilOf(each) < untilOf(oldest) ? each : oldest), undefined);
      if (next === undefined) return;
      bytes -= await this.#bytesOf(next.refs[next.wanted]!);
      next.wanted += 1;
    }
  }

  async #bytesOf(ref: ManifestRef): Promise<number> {
    const known = this.#bytes.get(ref.name);
    if (known !== undefined) return known;
    // What cannot be read is found out when it is about to be trimmed.
    const bytes = await this.#ports.store.manifest(ref).then(
      ({ valueBytes }) => valueBytes,
      (error: unknown) => {
        if (isLost(error)) return 0;
        throw error;
      },
    );
    this.#bytes.set(ref.name, bytes);
    return bytes;
  }

  /** Segment by segment, so that no trim is long: reads it back, then lets the log drop it. @returns up to where. */
  async #trim({ partition, startOffset, refs, wanted }: Held): Promise<number> {
    const { log, store } = this.#ports;
    let reach = startOffset;
    for (const ref of refs.slice(0, wanted)) {
      try {
        await store.verify(ref);
      } catch (error) {
        if (!isLost(error)) throw error;
        await partition.disown(ref, error);
        return reach;
      }
      reach = ref.lastOffset + 1;
      await log.trim(partition.at, reach);
    }
    return reach;
  }
}

/** Segments that cover the log without a hole from an offset on, each reaching further than the ones before. */
function chainFrom(refs: readonly ManifestRef[], from: number): readonly ManifestRef[] {
  const chain: ManifestRef[] = [];
  let reach = from;
  for (const ref of refs) {
    if (ref.firstOffset > reach) break;
    if (ref.lastOffset < reach) continue;
    chain.push(ref);
    reach = ref.lastOffset + 1;
  }
  return chain;
}

function countWhile<T>(items: readonly T[], holds: (item: T) => boolean): number {
  const end = items.findIndex((item) => !holds(item));
  return end < 0 ? items.length : end;
}

function untilOf(held: Held | undefined): number {
  return held?.refs[held.wanted]?.untilMs ?? Infinity;
}
