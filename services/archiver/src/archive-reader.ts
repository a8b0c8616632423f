import type { Objects, StoredRecord } from '@flyball/runtime';
import type { Gap } from './archive-gaps.ts';
import { ArchiveStore, isLost } from './archive-store.ts';
import type { Manifest } from './manifest.ts';
import { type DeletedRef, type ManifestRef, placeOfName } from './names.ts';

/** What to read: records that were appended within `[fromMs, toMs)`. */
export interface ArchiveRange {
  readonly topics: readonly string[];
  readonly fromMs: number;
  /** Infinity: as far as every partition is archived. */
  readonly toMs: number;
}

/** A record of the archive. */
export interface ArchivedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly record: StoredRecord;
}

/** What there is within a range, and what there is not. */
export interface ArchivePlan {
  readonly fromMs: number;
  /** As asked for; else the instant up to which every partition is archived. */
  readonly toMs: number;
  /** How many partitions each topic has, as far as the archive knows. */
  readonly partitions: ReadonlyMap<string, number>;
  readonly segments: readonly PartitionSegments[];
  readonly gaps: readonly Gap[];
}

interface PartitionSegments {
  readonly topic: string;
  readonly partition: number;
  readonly topicSegment: string;
  /** In order of their first offsets. They may overlap. */
  readonly manifests: readonly Manifest[];
}

interface Shelf {
  readonly topic: string;
  readonly topicSegment: string;
  readonly partition: number;
  readonly refs: ManifestRef[];
  readonly deleted: DeletedRef[];
}

/** Reads an archive, and names what it does not hold. */
export class ArchiveReader {
  readonly #store: ArchiveStore;

  constructor(objects: Objects) {
    this.#store = new ArchiveStore(objects);
  }

  /**
   * Finds and checks every object of a range. Nothing is left out silently: what should be there and is not, is a gap.
   *
   * @throws {UnavailableError} `OBJECTS_UNAVAILABLE`
   */
  async plan({ topics, fromMs, toMs }: ArchiveRange): Promise<ArchivePlan> {
    const shelves: Shelf[] = [];
    for (const topic of topics) shelves.push(...(await this.#shelves(topic)));
    const range = {
      fromMs,
      toMs: Number.isFinite(toMs) ? toMs : Math.min(...shelves.filter(isGrowing(shelves)).map(endOf)),
    };
    const segments: PartitionSegments[] = [];
    const gaps: Gap[] = [];
    const partitions = new Map<string, number>();
    for (const shelf of shelves) {
      const found = await this.#check(shelf, range);
      // Of a topic that was made anew nothing more comes.
      if (!isGrowing(shelves)(shelf)) found.gaps = found.gaps.filter(({ reason }) => reason !== 'not_archived');
      gaps.push(...found.gaps);
      segments.push({ ...shelf, manifests: found.manifests });
      const count = found.manifests.reduce(
        (most, manifest) => Math.max(most, manifest.partitions),
        shelf.partition + 1,
      );
      partitions.set(shelf.topic, Math.max(partitions.get(shelf.topic) ?? 0, count));
    }
    for (const [topic, count] of partitions) gaps.push(...absent(topic, count, shelves));
    return { ...range, partitions, segments, gaps };
  }

  /**
   * Records of a plan, merged by append time, topic, partition and offset, each once. Holds one segment per partition in memory.
   *
   * @throws {RejectedError} `ARCHIVE_MISSING`, `ARCHIVE_CORRUPT` when something was lost since the plan was made.
   */
  async *read({ segments, fromMs, toMs }: ArchivePlan): AsyncGenerator<ArchivedRecord> {
    const streams = segments.map((of) => ({ of, records: this.#recordsOf(of, fromMs, toMs) }));
    const heads: { of: PartitionSegments; record: StoredRecord; records: AsyncGenerator<StoredRecord> }[] = [];
    for (const { of, records } of streams) {
      const { value, done } = await records.next();
      if (done !== true) heads.push({ of, record: value, records });
    }
    while (heads.length > 0) {
      const head = heads.reduce((first, each) => (isBefore(each, first) ? each : first));
      yield { topic: head.of.topic, partition: head.of.partition, record: head.record };
      const { value, done } = await head.records.next();
      if (done === true) heads.splice(heads.indexOf(head), 1);
      else head.record = value;
    }
  }

  async *#recordsOf({ manifests }: PartitionSegments, fromMs: number, toMs: number): AsyncGenerator<StoredRecord> {
    let nextOffset = 0;
    for (const manifest of manifests) {
      if (manifest.lastOffset < nextOffset) continue;
      for (const record of await this.#store.records(manifest)) {
        if (record.offset < nextOffset) continue;
        nextOffset = record.offset + 1;
        if (record.appendedAtMs >= fromMs && record.appendedAtMs < toMs) yield record;
      }
    }
  }

  /** All that names of the archive say of a topic, by partition. */
  async #shelves(topic: string): Promise<Shelf[]> {
    const shelves = new Map<string, Shelf>();
    const shelfOf = (name: string): Shelf => {
      const { topicSegment, partition } = placeOfName(name);
      const key = `${topicSegment}/${partition}`;
      const shelf = shelves.get(key) ?? { topic, topicSegment, partition, refs: [], deleted: [] };
      shelves.set(key, shelf);
      return shelf;
    };
    for (const ref of await this.#store.manifests(topic)) shelfOf(ref.name).refs.push(ref);
    for (const ref of await this.#store.deleted(topic)) shelfOf(ref.name).deleted.push(ref);
    return [...shelves.values()];
  }

  /** Checks the objects of a partition that a range touches, and walks its offsets for what is not covered. */
  async #check(
    shelf: Shelf,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  ): Promise<{ manifests: Manifest[]; gaps: Gap[] }> {
    const manifests: Manifest[] = [];
    const lost: LostSegment[] = [];
    const walk = new CoverageWalk(shelf, { fromMs, toMs });
    for (const ref of shelf.refs) {
      // What a range does not touch counts as there: its offsets say where those of the range begin and end. A segment that was cut
      // within an instant holds records of just that instant: its last.
      const isTouched = ref.untilMs >= fromMs && ref.minAtMs < toMs;
      if (!isTouched) {
        walk.cover(ref, lost);
        continue;
      }
      try {
        manifests.push(await this.#store.verify(ref));
        walk.cover(ref, lost);
      } catch (error) {
        if (!isLost(error)) throw error;
        const reason = error.code === 'ARCHIVE_MISSING' ? 'missing' : 'corrupt';
        lost.push({ ref, reason, object: String(error.detail['name'] ?? ref.name) });
      }
    }
    return { manifests, gaps: walk.finish(lost) };
  }
}

interface LostSegment {
  readonly ref: ManifestRef;
  readonly reason: 'missing' | 'corrupt';
  readonly object: string;
}

/** Walks the segments of a partition in order of offsets, and names what lies between them within a range of time. */
class CoverageWalk {
  readonly #shelf: Shelf;
  readonly #range: { readonly fromMs: number; readonly toMs: number };
  readonly #gaps: Gap[] = [];
  #reach = 0;
  #reachedMs: number | null = null;

  constructor(shelf: Shelf, range: { readonly fromMs: number; readonly toMs: number }) {
    this.#shelf = shelf;
    this.#range = range;
  }

  /** The next segment is there. */
  cover({ firstOffset, lastOffset, minAtMs, untilMs }: ManifestRef, lost: readonly LostSegment[]): void {
    if (firstOffset > this.#reach) this.#hole(firstOffset, minAtMs, lost);
    if (lastOffset < this.#reach) return;
    this.#reach = lastOffset + 1;
    this.#reachedMs = untilMs;
  }

  /** Nothing more is there. */
  finish(lost: readonly LostSegment[]): Gap[] {
    const last = lost.reduce((end, { ref }) => Math.max(end, ref.lastOffset + 1), this.#reach);
    const deletedTo = this.#shelf.deleted.reduce((end, { beforeOffset }) => Math.max(end, beforeOffset), 0);
    const end = Math.max(last, deletedTo);
    const untilMs = lost.reduce<number | null>((ms, { ref }) => Math.max(ms ?? 0, ref.untilMs), this.#reachedMs);
    if (end > this.#reach) this.#hole(end, untilMs, lost);
    if (untilMs === null || untilMs < this.#range.toMs) {
      this.#add(end, null, { afterMs: untilMs, beforeMs: null, reason: 'not_archived', object: '' });
    }
    return this.#gaps;
  }

  /** Offsets from where the walk is up to another are not covered: part of them deleted, part of them lost. */
  #hole(toOffset: number, beforeMs: number | null, lost: readonly LostSegment[]): void {
    const { deleted } = this.#shelf;
    const { beforeOffset, atMs } = deleted.reduce(
      (most, each) => (each.beforeOffset > most.beforeOffset ? each : most),
      { beforeOffset: 0, atMs: 0 },
    );
    if (beforeOffset > this.#reach) {
      const end = Math.min(beforeOffset, toOffset);
      this.#add(this.#reach, end, { afterMs: this.#reachedMs, beforeMs: atMs, reason: 'deleted', object: '' });
      [this.#reach, this.#reachedMs] = [end, atMs];
    }
    for (const { ref, reason, object } of lost) {
      const [from, to] = [Math.max(ref.firstOffset, this.#reach), Math.min(ref.lastOffset + 1, toOffset)];
      if (from >= to) continue;
      if (from > this.#reach) this.#missing(from, ref.minAtMs);
      this.#add(from, to, { afterMs: ref.minAtMs, beforeMs: ref.untilMs, reason, object });
      [this.#reach, this.#reachedMs] = [to, ref.untilMs];
    }
    if (this.#reach < toOffset) this.#missing(toOffset, beforeMs);
  }

  #missing(toOffset: number, beforeMs: number | null): void {
    this.#add(this.#reach, toOffset, { afterMs: this.#reachedMs, beforeMs, reason: 'missing', object: '' });
    this.#reach = toOffset;
  }

  /** Names a gap, where it can lie within the range. */
  #add(
    fromOffset: number,
    toOffset: number | null,
    about: Pick<Gap, 'afterMs' | 'beforeMs' | 'reason' | 'object'>,
  ): void {
    const { topic, partition } = this.#shelf;
    const { fromMs, toMs } = this.#range;
    if ((about.afterMs ?? 0) >= toMs || (about.beforeMs ?? Infinity) < fromMs) return;
    this.#gaps.push({ topic, partition, fromOffset, toOffset, ...about });
  }
}

/** Log time up to which the archive of a partition goes, ms. */
function endOf({ refs, deleted }: Shelf): number {
  const archivedMs = refs.reduce((end, { untilMs }) => Math.max(end, untilMs), 0);
  return deleted.reduce((end, { atMs }) => Math.max(end, atMs), archivedMs);
}

/** Tells whether a partition is of the topic as it is now, and not of one of the same name before it. */
function isGrowing(shelves: readonly Shelf[]): (shelf: Shelf) => boolean {
  return (shelf) =>
    shelves.every((other) => {
      const isSamePlace = other.topic === shelf.topic && other.partition === shelf.partition;
      return !isSamePlace || endOf(other) <= endOf(shelf);
    });
}

/** Partitions of which the archive holds nothing at all. */
function absent(topic: string, count: number, shelves: readonly Shelf[]): Gap[] {
  const gaps: Gap[] = [];
  for (let partition = 0; partition < count; partition += 1) {
    if (shelves.some((shelf) => shelf.topic === topic && shelf.partition === partition)) continue;
    const nothing = { fromOffset: 0, toOffset: null, afterMs: null, beforeMs: null, object: '' };
    gaps.push({ topic, partition, ...nothing, reason: 'not_archived' });
  }
  return gaps;
}

interface Head {
  readonly of: PartitionSegments;
  readonly record: StoredRecord;
}

/** Order of a merge: append time, topic, its identity, partition, offset. */
function isBefore(a: Head, b: Head): boolean {
  if (a.record.appendedAtMs !== b.record.appendedAtMs) return a.record.appendedAtMs < b.record.appendedAtMs;
  if (a.of.topic !== b.of.topic) return a.of.topic < b.of.topic;
  if (a.of.topicSegment !== b.of.topicSegment) return a.of.topicSegment < b.of.topicSegment;
  if (a.of.partition !== b.of.partition) return a.of.partition < b.of.partition;
  return a.record.offset < b.record.offset;
}
