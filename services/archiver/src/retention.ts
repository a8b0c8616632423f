import { type Topic, TOPOLOGY } from '@flyball/contracts';
import type { Log } from '@flyball/runtime';
import { type ArchiveStore, isLost, sizeOf } from './archive-store.ts';
import type { ArchiverConfig } from './config.ts';
import type { Manifest } from './manifest.ts';
import { type ManifestRef, type Place, placeOfName } from './names.ts';
import type { ArchiverPorts, PartitionArchiver } from './partition-archiver.ts';

/** Deletes what is older, or more, than the archive may hold: the oldest first, and never facts that the log keeps for ever. */
export class Retention {
  readonly #log: Pick<Log, 'range'>;
  readonly #store: ArchiveStore;
  readonly #config: ArchiverConfig;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Manifest>();

  constructor({ log, store, config, nowMs }: Pick<ArchiverPorts, 'log' | 'store' | 'config' | 'nowMs'>) {
    this.#log = log;
    this.#store = store;
    this.#config = config;
    this.#nowMs = nowMs;
  }

  /**
   * Deletes of the partitions of this process, also of topics of the same name that are no more.
   *
   * @returns how many segments were deleted.
   * @throws {UnavailableError} `OBJECTS_UNAVAILABLE`: try again.
   */
  async apply(partitions: readonly PartitionArchiver[]): Promise<number> {
    const { archiveMs, archiveBytes } = this.#config;
    if (archiveMs === 0 && archiveBytes === 0) return 0;
    const segments = (await this.#segments(partitions)).toSorted((a, b) => a.ref.untilMs - b.ref.untilMs);
    let bytes = segments.reduce((sum, { manifest }) => sum + sizeOf(manifest), 0);
    const inLog = await this.#startOffsets(partitions);
    let count = 0;
    for (const { ref, manifest } of segments) {
      const isOld = archiveMs > 0 && ref.untilMs < this.#nowMs() - archiveMs;
      if (!isOld && !(archiveBytes > 0 && bytes > archiveBytes)) break;
      // What the log still holds goes from there first: else it would be archived again.
      if (manifest.lastOffset >= (inLog.get(keyOf(manifest)) ?? Infinity)) continue;
      await this.#store.delete(ref, manifest);
      this.#known.delete(ref.name);
      bytes -= sizeOf(manifest);
      count += 1;
    }
    return count;
  }

  /** Where the log of each partition starts; topics that are no more hold nothing. */
  async #startOffsets(partitions: readonly PartitionArchiver[]): Promise<ReadonlyMap<string, number>> {
    const starts = new Map<string, number>();
    for (const { at } of partitions) starts.set(keyOf(at), (await this.#log.range(at)).startOffset);
    return starts;
  }

  async #segments(partitions: readonly PartitionArchiver[]): Promise<{ ref: ManifestRef; manifest: Manifest }[]> {
    const owned = new Map<string, Set<number>>();
    for (const { at } of partitions) {
      if (TOPOLOGY[at.topic as Topic]?.isKept !== false) continue;
      owned.set(at.topic, (owned.get(at.topic) ?? new Set()).add(at.partition));
    }
    const found: { ref: ManifestRef; manifest: Manifest }[] = [];
    for (const [topic, own] of owned) {
      for (const ref of await this.#store.manifests(topic)) {
        if (!own.has(placeOfName(ref.name).partition)) continue;
        const manifest = this.#known.get(ref.name) ?? (await this.#read(ref));
        if (manifest === undefined) continue;
        this.#known.set(ref.name, manifest);
        found.push({ ref, manifest });
      }
    }
    const names = new Set(found.map(({ ref }) => ref.name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    return found;
  }

  /** A manifest that cannot be read lists nothing that could be deleted; it stays, and says so to readers. */
  async #read(ref: ManifestRef): Promise<Manifest | undefined> {
    try {
      return await this.#store.manifest(ref);
    } catch (error) {
      if (isLost(error)) return undefined;
      throw error;
    }
  }
}

function keyOf({ topic, topicId, partition }: Place): string {
  return `${topic}/${topicId}/${partition}`;
}
