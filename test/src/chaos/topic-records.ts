import type { Log, StoredRecord } from '@flyball/runtime';

const READ_BYTES_MAX = 4 * 1024 * 1024;

/** A partition as it was when it was read. */
export interface PartitionRecords {
  readonly partition: number;
  /** All of them. */
  readonly stored: readonly StoredRecord[];
  /** Without those that were appended twice: what a reader counts. */
  readonly counted: readonly StoredRecord[];
}

/** Reads a topic to its present end. @throws when offsets have a hole. */
export async function topicRecords(log: Log, topic: string): Promise<readonly PartitionRecords[]> {
  const { partitions } = await log.describe(topic);
  const lists: PartitionRecords[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const stored: StoredRecord[] = [];
    const { startOffset, endOffset } = await log.range({ topic, partition });
    for (let offset = startOffset; offset < endOffset;) {
      for (const record of await log.read({ topic, partition }, offset, READ_BYTES_MAX)) {
        if (record.offset !== offset) throw new Error(`${topic}/${partition} has a hole at ${offset}`);
        offset += 1;
        stored.push(record);
      }
    }
    lists.push({ partition, stored, counted: pastMarks(stored) });
  }
  return lists;
}

/** Records that are above all others of their origin that came before. Written out here: a checker must not trust the checked. */
export function pastMarks(records: readonly StoredRecord[]): readonly StoredRecord[] {
  const highest = new Map<string, readonly number[]>();
  return records.filter(({ headers }) => {
    const text = headers['flyball-provenance'];
    const at = text?.indexOf('@') ?? -1;
    if (text === undefined || at < 0) return true;
    const place = text.slice(0, at).split('.').map(Number);
    const known = highest.get(text.slice(at));
    if (known !== undefined && !isAbove(place, known)) return false;
    highest.set(text.slice(at), place);
    return true;
  });
}

function isAbove(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((each, index) => each !== b[index]);
  return at >= 0 && a[at]! > b[at]!;
}
