import { textOf } from '@flyball/core';
import type { Log, Partition, StoredRecord } from '@flyball/runtime';

const WAIT_MS = 1_000;
const READ_BYTES_MAX = 1_000_000;

/** What is followed, and how. */
export interface Followed {
  readonly at: Partition;
  readonly fromOffset: number;
  readonly take: (record: StoredRecord) => void;
  readonly signal: AbortSignal;
}

/** Reads a partition until it is told to stop. A log that does not answer is asked again. */
export async function follow(log: Log, { at, fromOffset, take, signal }: Followed): Promise<void> {
  let offset = fromOffset;
  while (!signal.aborted) {
    const records = await log.read(at, offset, READ_BYTES_MAX).catch(() => []);
    for (const record of records) {
      take(record);
      offset = record.offset + 1;
    }
    if (records.length === 0) await log.wait(at, offset, WAIT_MS).catch(() => pause(WAIT_MS));
  }
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
