import { type Topic, TOPICS } from '@flyball/contracts';
import { RejectedError } from '@flyball/core';
import type { LineShape } from './line.ts';
import type { Log } from './log.ts';

type Counts = Pick<LineShape, 'lanes' | 'rawPartitions'>;

/** Partitions of a topic: lanes are fixed at birth, raw topics may have been given more since. */
export function partitionsOf(topic: Topic, { lanes, rawPartitions }: Counts): number {
  return topic.startsWith('otlp_') ? rawPartitions : lanes;
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
  let rawPartitions = 0;
  for (const topic of TOPICS) {
    const { partitions } = await log.describe(topic);
    if (topic.startsWith('otlp_')) rawPartitions = partitions;
    else if (partitions !== lanes) {
      const hint = 'Set lanes to what the topics were created with; another count is another truth.';
      const detail = { topic, found: partitions, wanted: lanes };
      throw new RejectedError('TOPIC_PARTITIONS', 'topic has another number of partitions', { hint, detail });
    }
  }
  return rawPartitions;
}
