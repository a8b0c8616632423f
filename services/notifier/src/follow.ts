import { AppError, textOf } from '@flyball/core';
import { isNews, type Log, Marks, type Partition, type StoredRecord } from '@flyball/runtime';

const WAIT_MS = 1_000;
const READ_BYTES_MAX = 1_000_000;

const LOST = new Set(['LOG_GAP', 'LOG_TRUNCATED']);

/** What is followed, and how. */
export interface Followed {
  readonly at: Partition;
  readonly fromOffset: number;
  readonly take: (record: StoredRecord) => void;
  readonly signal: AbortSignal;
}

/**
 * Reads a partition until it is told to stop, each record that says something new. A log that does not answer is asked again; after a
 * hole it goes on at the end.
 */
export async function follow(log: Log, { at, fromOffset, take, signal }: Followed): Promise<void> {
  const marks = new Marks();
  let offset = fromOffset;
  while (!signal.aborted) {
    const records = await log.read(at, offset, READ_BYTES_MAX).catch(async (error: unknown) => {
      // What was trimmed before it was read, by somebody who only wants the newest, is not missed.
      if (error instanceof AppError && LOST.has(error.code))
        offset = (await log.range(at).catch(() => undefined))?.endOffset ?? offset;
      return [];
    });
    for (const record of records) {
      if (isNews(record, marks)) take(record);
      offset = record.offset + 1;
    }
    if (records.length === 0)
      await orStopped(
        log.wait(at, offset, WAIT_MS).catch(() => pause(WAIT_MS)),
        signal,
      );
  }
}

/** Waits for something, or until it is told to stop. */
export async function orStopped(waiting: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let onStop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    onStop = resolve;
    if (signal.aborted) resolve();
    signal.addEventListener('abort', onStop);
  });
  await Promise.race([waiting, stopped]).finally(() => signal.removeEventListener('abort', onStop));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What the JSON of a record says; `undefined` where it is none. */
export function jsonOf({ value }: StoredRecord): unknown {
  try {
    return JSON.parse(textOf(value)) as unknown;
  } catch {
    return undefined;
  }
}
