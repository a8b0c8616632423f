import { AppError, UnavailableError } from '@flyball/core';
import type { Log, StoredRecord } from '@flyball/runtime';
import { type ArchiveStore, isLost } from './archive-store.ts';
import type { ArchiverConfig } from './config.ts';
import type { Manifest } from './manifest.ts';
import type { ManifestRef, Place } from './names.ts';
import { SegmentCutter, weigh } from './segment-cutter.ts';

/** Most bytes of values of one read, beyond its first. */
const READ_BYTES_MAX = 1_000_000;

/** What a record costs in memory beyond what it weighs in a segment: objects, texts, a buffer of its own; as heap snapshots show. */
const HELD_BYTES = 500;

/** What every partition of a process shares. */
export interface ArchiverPorts {
  readonly log: Log;
  readonly store: ArchiveStore;
  readonly config: ArchiverConfig;
  /** Wall clock, ms: for what is old, and for partitions that fell silent. */
  readonly nowMs: () => number;
  /** How many bytes of memory open segments take. */
  readonly buffered: { bytes: number };
  readonly onArchived: (manifest: Manifest) => void;
  /** Told of a segment that is not in the archive any more as it was. */
  readonly onLost: (ref: ManifestRef, error: AppError) => void;
}

/** A partition, and how many of them its topic has. */
export type ArchivedPartition = Place & { readonly partitions: number };

/**
 * Follows one partition into the archive. It can be thrown away at any moment: another goes on from what the manifests say, cuts
 * at the same places, and writes the same names.
 */
export class PartitionArchiver {
  readonly at: ArchivedPartition;
  readonly #ports: ArchiverPorts;
  #cutter: SegmentCutter;
  /** Records of the open segment, while there is room for them. */
  #kept: StoredRecord[] | undefined = [];
  #keptBytes = 0;
  #offset: number | undefined;
  #archivedTo: number | undefined;
  #endOffset = 0;
  /** Code of the last error, or ''. */
  failure = '';

  constructor(at: ArchivedPartition, ports: ArchiverPorts) {
    this.at = at;
    this.#ports = ports;
    this.#cutter = new SegmentCutter(ports.config);
  }

  /** Every record of the log below this offset is archived; `undefined` until that is known. */
  get archivedTo(): number | undefined {
    return this.#archivedTo;
  }

  /** Next offset to be read. */
  get offset(): number {
    return this.#offset ?? 0;
  }

  /** Records that were there at the last look and not read yet. */
  get lag(): number {
    return Math.max(0, this.#endOffset - this.offset);
  }

  /**
   * Reads one batch, and archives what is complete.
   *
   * @returns whether there may be more.
   * @throws {UnavailableError} from the ports: call again. `ARCHIVE_AHEAD`: the log has lost what is archived, and nothing more of
   * this partition is archived or trimmed until a person has looked.
   */
  async pump(): Promise<boolean> {
    try {
      return await this.#pump();
    } catch (error) {
      // The log begins or ends elsewhere than it did: look again where to go on.
      if (error instanceof AppError && (error.code === 'LOG_GAP' || error.code === 'LOG_TRUNCATED')) this.restart();
      throw error;
    }
  }

  /** Forgets where it is: the next pump asks the manifests again. */
  restart(): void {
    this.#letGo();
    this.#cutter.close();
    this.#offset = undefined;
    this.#archivedTo = undefined;
  }

  async #pump(): Promise<boolean> {
    const { log } = this.#ports;
    this.#offset ??= await this.#begin();
    const records = await log.read(this.at, this.#offset, READ_BYTES_MAX);
    for (const record of records) {
      if (this.#cutter.isCutBefore(record)) await this.#archive(record.appendedAtMs);
      this.#cutter.add(record);
      this.#keep(record);
      this.#offset = record.offset + 1;
    }
    if (records.length > 0) return true;
    this.#endOffset = this.#offset;
    const isOver = this.#ports.nowMs() >= this.#cutter.slotEndMs + this.#ports.config.idleCutMs;
    if (this.#cutter.open !== undefined && isOver) await this.#archive(this.#cutter.slotEndMs);
    return false;
  }

  /** Where to go on: behind all that is archived without a hole from the start of the log. */
  async #begin(): Promise<number> {
    const { log, store } = this.#ports;
    const { startOffset, endOffset } = await log.range(this.at);
    let refs = await store.manifests(this.at.topic, this.at);
    this.#endOffset = endOffset;
    for (;;) {
      const { reach, last } = reachOf(refs, startOffset);
      try {
        if (last !== undefined) await this.#refuseChangedLog(last, endOffset);
        this.#archivedTo = reach;
        return reach;
      } catch (error) {
        if (last === undefined || !isLost(error)) throw error;
        await this.disown(last, error);
        refs = refs.filter((ref) => ref !== last);
      }
    }
  }

  /** A segment is lost from the archive: where the log still holds all of it, it is archived again. */
  async disown(ref: ManifestRef, error: AppError): Promise<void> {
    const { log, store, onLost } = this.#ports;
    onLost(ref, error);
    const { startOffset } = await log.range(this.at);
    // Else the manifest stays, and says what is missing.
    if (ref.firstOffset >= startOffset) await store.disown(ref);
    this.restart();
  }

  /** The archive may not hold what the log does not: then one of them is not what it was. */
  async #refuseChangedLog(last: ManifestRef, endOffset: number): Promise<void> {
    const { log, store } = this.#ports;
    const { topic, partition } = this.at;
    const ahead = (): UnavailableError => {
      const hint = 'Restore the log, or move the manifests of this partition away: it is archived anew from its start.';
      const detail = { topic, partition, archivedTo: last.lastOffset, endOffset };
      return new UnavailableError('ARCHIVE_AHEAD', 'the log does not hold what was archived from it', { hint, detail });
    };
    if (last.lastOffset >= endOffset) throw ahead();
    const records = await store.records(await store.manifest(last));
    const [inLog] = await log.read(this.at, last.lastOffset, 1);
    // It is there: whoever gives out nothing of it now may do so the next time.
    if (inLog === undefined)
      throw new UnavailableError('LOG_UNAVAILABLE', 'the log gives out nothing of what it holds');
    if (!isSame(inLog, records.at(-1)!)) throw ahead();
  }

  async #archive(untilMs: number): Promise<void> {
    const { store, onArchived } = this.#ports;
    const { firstOffset, nextOffset } = this.#cutter.open!;
    const records = this.#kept ?? (await this.#readAgain(firstOffset, nextOffset));
    const { partitions, ...place } = this.at;
    const manifest = await store.write({ place, partitions, records, untilMs });
    this.#archivedTo = nextOffset;
    this.#cutter.close();
    this.#letGo();
    onArchived(manifest);
  }

  async #readAgain(firstOffset: number, nextOffset: number): Promise<readonly StoredRecord[]> {
    const records: StoredRecord[] = [];
    for (let at = firstOffset; at < nextOffset; at = records.at(-1)!.offset + 1) {
      const batch = await this.#ports.log.read(this.at, at, READ_BYTES_MAX);
      for (const record of batch) if (record.offset < nextOffset) records.push(record);
      if (batch[0]?.offset !== at) throw new UnavailableError('LOG_GAP', 'the log has changed', { detail: { at } });
    }
    return records;
  }

  #keep(record: StoredRecord): void {
    const { buffered, config } = this.#ports;
    if (this.#kept === undefined) return;
    const bytes = weigh(record) + HELD_BYTES;
    if (buffered.bytes + bytes > config.bufferBytes) {
      this.#letGo();
      this.#kept = undefined;
      return;
    }
    this.#kept.push(record);
    this.#keptBytes += bytes;
    buffered.bytes += bytes;
  }

  #letGo(): void {
    this.#ports.buffered.bytes -= this.#keptBytes;
    this.#keptBytes = 0;
    this.#kept = [];
  }
}

/** How far manifests reach without a hole from an offset on, and the one that reaches there. */
function reachOf(refs: readonly ManifestRef[], from: number): { readonly reach: number; readonly last?: ManifestRef } {
  let reach = from;
  let last: ManifestRef | undefined;
  for (const ref of refs) {
    if (ref.firstOffset > reach) break;
    if (ref.lastOffset < reach) continue;
    reach = ref.lastOffset + 1;
    last = ref;
  }
  return last === undefined ? { reach } : { reach, last };
}

function isSame(a: StoredRecord, b: StoredRecord): boolean {
  return a.offset === b.offset && a.appendedAtMs === b.appendedAtMs && Buffer.compare(a.value, b.value) === 0;
}
