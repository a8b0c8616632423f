import { RAW_TOPICS, type RawTopic, type Topic, TOPICS } from '@flyball/contracts';
import { RejectedError } from '@flyball/core';
import type { LineShape } from './line.ts';
import type { Log } from './log.ts';

type Counts = Pick<LineShape, 'lanes' | 'rawPartitions'>;

/** Partitions of a topic: lanes are fixed at birth, raw topics may have been given more since. */
export function partitionsOf(topic: Topic, { lanes, rawPartitions }: Counts): number {
  return isRaw(topic) ? rawPartitions : lanes;
}

function isRaw(topic: Topic): topic is RawTopic {
  return (Object.values(RAW_TOPICS) as Topic[]).includes(topic);
}

/** Creates the topics of telemetry, or checks that they are as they were. @throws {RejectedError} `TOPIC_PARTITIONS` */
export async function createRawTopics(log: Pick<Log, 'create'>, partitions: number): Promise<void> {
  for (const topic of Object.values(RAW_TOPICS)) await log.create(topic, partitions);
}

/** Creates all topics, or checks that they are as they were. @throws {RejectedError} `TOPIC_PARTITIONS` */
export async function createTopics(log: Log, counts: Counts): Promise<void> {
  for (const topic of TOPICS) await log.create(topic, partitionsOf(topic, counts));
}

/**
 * Checks that all topics are there and have as many lanes as this process believes.
 *
 * @returns how many raw partitions there are.
 * @throws {RejectedError} `TOPIC_PARTITIONS`: correct `lanes`; exit with 78.
 * @throws {UnavailableError} `TOPIC_UNKNOWN`: nobody has created them yet.
 */
export async function checkTopics(log: Log, lanes: number): Promise<number> {
  const { partitions: rawPartitions } = await log.describe(RAW_TOPICS.traces);
  for (const topic of TOPICS) {
    const { partitions } = await log.describe(topic);
    const wanted = partitionsOf(topic, { lanes, rawPartitions });
    if (partitions === wanted) continue;
    const hint = isRaw(topic)
      ? 'Grow all raw topics to the same number of partitions.'
      : 'Set lanes to what the topics were created with; another count is another truth.';
    const detail = { topic, found: partitions, wanted };
    throw new RejectedError('TOPIC_PARTITIONS', 'topic has another number of partitions', { hint, detail });
  }
  return rawPartitions;
}
