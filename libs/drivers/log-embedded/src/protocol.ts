import type { UnavailableError } from '@flyball/core';
import type { NewRecord, OffsetRange, Partition, StoredRecord, TopicState } from '@flyball/runtime';

/** Settings of an embedded log. */
export interface EmbeddedLogOptions {
  /** Data directory; created when missing. One process owns it at a time. */
  readonly dir: string;
  /** Most bytes that the log may take on disk. Default 2 GiB. */
  readonly budgetBytes?: number;
  /** Topics that may use the last {@link RESERVED_RATIO} of the budget: control, commands, outcomes. */
  readonly reservedTopics?: readonly string[];
  /** Most bytes of values kept in memory for readers at the end of the log. Default 24 MiB. */
  readonly tailBytes?: number;
  /**
   * Told, once, that the disk failed, `DISK_FAILED` or `DISK_READ_ONLY`, or that the log's thread ended unasked, `LOG_UNAVAILABLE`.
   * The log takes nothing any more; end the process. Appends that were not answered may have been stored, and what was acknowledged is there when it is opened again.
   */
  readonly onBroken?: (error: UnavailableError) => void;
}

/** Share of the budget that only reserved topics may use. */
export const RESERVED_RATIO = 0.05;

/** Most bytes of one value. */
export const VALUE_BYTES_MAX = 16 * 1024 * 1024;

/** What the worker needs to know at its start. */
export interface WorkerStart {
  readonly dir: string;
  readonly budgetBytes: number;
  readonly reservedTopics: readonly string[];
}

/** What the caller's side asks. Answered in order, each once, by {@link Answer} with the same `id`. */
export type Request = { readonly id: number } & (
  | { readonly ask: 'append'; readonly to: Partition; readonly records: readonly NewRecord[] }
  | { readonly ask: 'create'; readonly topic: string; readonly partitions: number }
  | { readonly ask: 'read'; readonly from: Partition; readonly fromOffset: number; readonly maxBytes: number }
  | { readonly ask: 'trim'; readonly of: Partition; readonly beforeOffset: number }
  | {
      readonly ask: 'commit';
      readonly reader: string;
      readonly at: Partition;
      readonly offset: number;
      readonly reachedMs: number | undefined;
    }
  | { readonly ask: 'committed'; readonly reader: string; readonly at: Partition }
  /** Of each partition the reader that is asked about. */
  | { readonly ask: 'progress'; readonly topic: string; readonly readers: readonly string[] }
  | { readonly ask: 'usage' }
  | { readonly ask: 'close' }
);

/** What the worker says: a result, or an error by kind and code. */
export type Answer =
  | { readonly id: number; readonly ok: unknown }
  | { readonly id: number; readonly kind: 'rejected' | 'unavailable'; readonly code: string; readonly message: string };

/** Last word of the worker, where the disk failed. */
export interface Broken {
  readonly brokenCode: string;
  readonly message: string;
  readonly hint: string;
}

/** First word of the worker: what is in the log, or why it cannot be opened. */
export type Greeting =
  | { readonly topics: readonly (TopicState & { readonly topic: string; readonly ranges: readonly OffsetRange[] })[] }
  | { readonly code: string; readonly message: string; readonly hint?: string };

/** Result of `append`. */
export interface AppendResult {
  readonly firstOffset: number;
  readonly appendedAtMs: number;
}

/** Result of `read`. */
export type ReadResult = readonly StoredRecord[];

/** How full the log is. */
export interface Usage {
  readonly usedBytes: number;
  readonly budgetBytes: number;
  /** Whether appends are refused because the disk itself is full. */
  readonly isDiskFull: boolean;
}
