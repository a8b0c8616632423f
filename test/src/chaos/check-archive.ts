import { ArchiveReader, type Gap } from '@flyball/archiver';
import type { StoredRecord } from '@flyball/runtime';
import { openS3Objects } from '@flyball/objects-s3';
import type { ChaosStage } from './chaos-stage.ts';
import { topicRecords } from './topic-records.ts';

/** Topics that are compared: raw bodies, protobuf, JSON. All their partitions are written. */
const COMPARED = ['otlp_spans', 'flyball.partials', 'flyball.windows'] as const;

/** What the archive of a deployment holds now, and what it should and does not. */
export interface ArchiveFound {
  /** How many records, by topic. */
  readonly records: number;
  readonly gaps: readonly Gap[];
  /** Records that are not those of the log, the first few. */
  readonly wrong: readonly string[];
}

/** Reads the archive, straight from the store, and compares it record by record with the log. */
export async function readArchive(
  { cluster, log }: ChaosStage,
  topics: readonly string[] = COMPARED,
): Promise<ArchiveFound> {
  const reader = new ArchiveReader(openS3Objects(cluster.s3.url, cluster.s3.env ?? {}));
  const plan = await reader.plan({ topics, fromMs: 0, toMs: Infinity });
  const truth = new Map<string, ReadonlyMap<number, StoredRecord>>();
  for (const topic of topics) {
    for (const { partition, stored } of await topicRecords(log, topic)) {
      truth.set(`${topic}/${partition}`, new Map(stored.map((record) => [record.offset, record])));
    }
  }
  const wrong: string[] = [];
  let records = 0;
  for await (const { topic, partition, record } of reader.read(plan)) {
    records += 1;
    const inLog = truth.get(`${topic}/${partition}`)?.get(record.offset);
    if (inLog === undefined || !isSame(inLog, record)) wrong.push(`${topic}/${partition} ${record.offset}`);
  }
  return { records, gaps: plan.gaps, wrong: wrong.slice(0, 5) };
}

function isSame(a: StoredRecord, b: StoredRecord): boolean {
  const head = ({ offset, appendedAtMs, key, headers }: StoredRecord) =>
    JSON.stringify([offset, appendedAtMs, key, Object.entries(headers).sort()]);
  return head(a) === head(b) && Buffer.compare(a.value, b.value) === 0;
}
