import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Cluster, createCluster } from './internals.ts';
import { KafkaLog } from './kafka-log.ts';
import { TopicSettings } from './topic-settings.ts';

// Goal: what brokers do not answer is never taken for an answer, and nobody asks in a tight loop. Method: clusters in place of
// kafkajs's that answer as theirs do.

vi.mock('./internals.ts', { spy: true });

const AT = { topic: 'facts', partition: 0 };

let leaderOf: () => readonly { partitionId: number; leader: number }[];
/** kafkajs's answer where no broker gave one. */
let answer: unknown;
let refreshes: number;
let log: KafkaLog;

beforeEach(async () => {
  [answer, refreshes] = [null, 0];
  leaderOf = () => {
    throw new Error('planted: not known');
  };
  vi.mocked(createCluster).mockImplementation(
    () =>
      ({
        connect: async () => undefined,
        disconnect: async () => undefined,
        refreshMetadata: async () => void (refreshes += 1),
        addMultipleTargetTopics: async () => undefined,
        findTopicPartitionMetadata: () => leaderOf(),
        brokerPool: { withBroker: async () => answer },
      }) as unknown as Cluster,
  );
  vi.spyOn(TopicSettings.prototype, 'requireAppendTime').mockResolvedValue();
  log = await KafkaLog.open({ url: 'kafka://127.0.0.1:1', env: {} });
});
afterEach(() => log.close());

test('a topic that no broker tells of is asked for again', async () => {
  await expect(log.describe('facts')).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  answer = { id: 'a', partitions: 3 };
  expect(await log.describe('facts')).toEqual({ id: 'a', partitions: 3 });
});

test('who waits at a place that cannot be asked for waits a little all the same', async () => {
  const startMs = performance.now();
  await log.wait(AT, 0, 1_000);
  expect(performance.now() - startMs).toBeGreaterThan(50);
  await log.wait(AT, 0, 0);
});

test('a partition without a leader fails by itself, and who leads it is asked for', async () => {
  leaderOf = () => [{ partitionId: 0, leader: -1 }];
  const before = refreshes;
  await expect(log.read(AT, 0, 1)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await expect(log.append(AT, [])).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await expect.poll(() => refreshes).toBeGreaterThan(before);
});
