import type { NewRecord, Partition, StoredRecord } from './record.ts';

/**
 * The log, the only truth: topics of partitions of records. Port; a driver is chosen by URL and passes
 * the conformance suite of `libs/testing`.
 *
 * Readers see only what is durable. Records of one append stay together and in order.
 */
export interface Log {
  /**
   * A topic as it is.
   *
   * @throws {UnavailableError} `TOPIC_UNKNOWN` when it was not created; `LOG_UNAVAILABLE`: back off.
   */
  describe(topic: string): Promise<TopicState>;

  /**
   * Creates a topic, or checks that it has this many partitions. Partitions are fixed at birth.
   *
   * @throws {RejectedError} `TOPIC_PARTITIONS` when it exists with another count: refuse to start.
   */
  create(topic: string, partitions: number): Promise<TopicState>;

  /**
   * Reads records from `fromOffset` on, contiguous, at least one where there is one, at most `maxBytes`
   * of values beyond the first. Returns at once, with no records, at the end.
   *
   * @throws {UnavailableError} `LOG_GAP` when `fromOffset` was trimmed, `LOG_TRUNCATED` when it is beyond
   * the end: the lane must stop; `LOG_UNAVAILABLE`: back off.
   */
  read(from: Partition, fromOffset: number, maxBytes: number): Promise<readonly StoredRecord[]>;

  /**
   * Appends records to one partition, all or none, and returns when they are durable.
   *
   * @throws {UnavailableError} `LOG_FULL`, `LOG_UNAVAILABLE`, `LOG_CLOSED`: nothing was written.
   * `LOG_APPEND_UNKNOWN`: none, some or all may have been written; only a caller whose records carry
   * provenance may repeat the very same append.
   * @throws {RejectedError} `RECORD_TOO_LARGE`: never repeat it.
   */
  append(to: Partition, records: readonly NewRecord[]): Promise<Appended>;

  /** First and next offset of a partition: records `[startOffset, endOffset)` are in the log. */
  range(of: Partition): Promise<OffsetRange>;

  /** Drops records below an offset. What is gone is `LOG_GAP` to a reader that still wants it. */
  trim(of: Partition, beforeOffset: number): Promise<void>;

  /**
   * Puts on record how far a reader has come. Shows that a lane has lived, and its lag; never its position.
   *
   * @param reachedMs - log time that it has read up to, ms, where it has read anything yet.
   */
  commit(reader: string, at: Partition, offset: number, reachedMs?: number): Promise<void>;

  /** The last committed offset of a reader, or `undefined` where it never lived. */
  committed(reader: string, at: Partition): Promise<number | undefined>;

  /** What the lanes of a processor have last committed over a topic, by partition; nothing of those that never lived. */
  progress(processor: string, topic: string): Promise<ReadonlyMap<number, Progress>>;

  /**
   * Joins a group of processes that share the partitions of some topics. `onOwned` is told at once, and whenever it changes,
   * which of them this process should read. A hint: two may own the same for a while, or nobody; positions are the readers'.
   */
  join(group: string, topics: readonly string[], onOwned: (owned: readonly Partition[]) => void): Promise<Membership>;

  /** Resolves when records beyond `offset` may be there, or after `timeoutMs`. A hint, to save polling. */
  wait(at: Partition, offset: number, timeoutMs: number): Promise<void>;

  /** Finishes what was acknowledged and lets go of everything. Safe to call twice. */
  close(): Promise<void>;
}

/** How far a lane has come. */
export interface Progress {
  readonly offset: number;
  /** Log time that it has read up to, ms; `undefined` where it did not say. */
  readonly reachedMs: number | undefined;
}

/** Membership in a group. */
export interface Membership {
  /** Leaves, so that others take over at once. Safe to call twice. */
  leave(): Promise<void>;
}

/** What a log knows of a topic. */
export interface TopicState {
  /** Random at creation: a topic of the same name that was deleted and made anew has another. */
  readonly id: string;
  readonly partitions: number;
}

/** Answer to an append. */
export interface Appended {
  /** Offset of the first of the appended records. */
  readonly firstOffset: number;
  readonly appendedAtMs: number;
}

/** Offsets `[startOffset, endOffset)`. */
export interface OffsetRange {
  readonly startOffset: number;
  readonly endOffset: number;
}
