import { textOf } from '@flyball/core';
import { type Log, Marks, type Partition, provenanceOf, type StoredRecord } from '@flyball/runtime';

/** Every record of a partition, as the log holds it. */
export async function recordsOf(log: Log, from: Partition): Promise<readonly StoredRecord[]> {
  const all: StoredRecord[] = [];
  const { startOffset, endOffset } = await log.range(from);
  for (let offset = startOffset; offset < endOffset; offset = all.at(-1)!.offset + 1) {
    all.push(...(await log.read(from, offset, Infinity)));
  }
  return all;
}

/** Every record of a topic, partition by partition; or of one partition of it. */
export async function allRecords(log: Log, topic: string, only?: number): Promise<readonly StoredRecord[]> {
  if (only !== undefined) return recordsOf(log, { topic, partition: only });
  const { partitions } = await log.describe(topic);
  const lists = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => recordsOf(log, { topic, partition })),
  );
  return lists.flat();
}

/**
 * A topic as a reader with marks sees it, without what depends on the order in which lanes ran: sorted lines of
 * key and body. Two runs of the same facts must agree on it, whatever happened on the way.
 */
export async function seen(log: Log, topic: string): Promise<readonly string[]> {
  const { partitions } = await log.describe(topic);
  const lines: string[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const marks = new Marks();
    for (const record of await recordsOf(log, { topic, partition })) {
      const isNew = marks.raise(provenanceOf(record.headers), record.appendedAtMs);
      if (isNew) lines.push(`${partition} ${record.key} ${textOf(record.value)}`);
    }
  }
  return lines.sort();
}
