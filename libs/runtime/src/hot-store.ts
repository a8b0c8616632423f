import type { WindowKind } from '@flyball/contracts';

/**
 * The newest windows and the newest assessment of every subject, for who looks at a fleet now. Port; a driver is
 * chosen by URL and passes the conformance suite of `libs/testing`.
 *
 * A read model: all of it can be lost and is rebuilt from the log. What `apply` stores does not depend on order or
 * repetition: per subject and kind the window of every end once, the latest assessment, and nothing that ended at or before the
 * subject was gone. So a repeated batch, two writers of one lane, and a writer that starts over do no harm.
 *
 * Bounded: at most {@link HOT_WINDOWS_MAX} windows per subject and kind, the latest; at most {@link HOT_SUBJECTS_MAX} subjects,
 * later ones are left out until one goes. A driver may drop old windows sooner, when they take too much memory.
 *
 * All methods throw {@link UnavailableError} `HOT_UNAVAILABLE`: back off; the line goes on without it.
 */
export interface HotStore {
  /**
   * Stores a batch, all or nothing, together with how far its lane has come.
   *
   * @returns `false`, and nothing was stored, when the batch is not the lane's first and what is known of the lane
   * does not reach up to it: the store was emptied, or put back in time. The writer starts over.
   * @throws {UnavailableError} `HOT_UNAVAILABLE`: it may have been stored. Repeat the same batch.
   */
  apply(batch: HotBatch): Promise<boolean>;
  /** All subjects, in no order. */
  services(): Promise<readonly HotService[]>;
  /** One subject, or `undefined` where it is not known. */
  service(key: string): Promise<HotService | undefined>;
  /** Windows of one kind of a subject as they were stored, oldest first; all, or the newest so many, at least 1. */
  windows(key: string, kind: WindowKind, newestMax?: number): Promise<readonly Uint8Array[]>;
  /** How far every lane has come. A lane that is missing must be written from its first batch on. */
  progress(): Promise<ReadonlyMap<string, HotProgress>>;
  /** Lets go of everything; the store is not used afterwards. Safe to call twice. */
  close(): Promise<void>;
}

/** Most windows of one subject and kind: an hour of windows of 10 s. */
export const HOT_WINDOWS_MAX = 360;
/** Most subjects. */
export const HOT_SUBJECTS_MAX = 2_000;

/** What one lane read from offsets `[fromOffset, offset)` of its topic. */
export interface HotBatch {
  /** The partition that was read, and which life of its topic: offsets of another log are no progress. */
  readonly lane: string;
  readonly fromOffset: number;
  /** Next offset to read. */
  readonly offset: number;
  /** Whether the writer starts here, or starts over: it is taken whatever is known of the lane. */
  readonly isFirst: boolean;
  /** Whether everything was read that was in the log when the writer started. */
  readonly isCaughtUp: boolean;
  readonly changes: readonly HotChange[];
}

/** One thing to know about the subject `key`, as of `endMs` in log time. Values are opaque. */
export type HotChange =
  | {
      readonly type: 'window';
      readonly kind: WindowKind;
      readonly key: string;
      readonly endMs: number;
      readonly value: Uint8Array;
      /** Whether the subject sent anything in this window. */
      readonly isHeard: boolean;
    }
  | { readonly type: 'assessment'; readonly key: string; readonly endMs: number; readonly value: Uint8Array }
  /** The subject fell silent for good: what ended up to here is dropped. */
  | { readonly type: 'gone'; readonly key: string; readonly endMs: number };

/** A subject as the newest things show it. */
export interface HotService {
  readonly key: string;
  /** The latest, or `undefined` when none came yet. */
  readonly assessment: Uint8Array | undefined;
  /** End of the last window with something in it, ms; `null` when there was none. */
  readonly lastSeenAtMs: number | null;
}

/** How far a lane has come. */
export interface HotProgress {
  /** Next offset that was not stored yet: the furthest of all writers of the lane, where they leave no hole. */
  readonly offset: number;
  readonly isCaughtUp: boolean;
}
