import { expect, test, vi } from 'vitest';
import { Connection } from './connection.ts';
import { type Cluster, createCluster } from './internals.ts';

// Goal: whatever went wrong with the brokers once, the next request starts from nothing that is broken. Method: clusters in place of
// kafkajs's, the first of which fails to open.

vi.mock('./internals.ts', { spy: true });

const config = { brokers: ['127.0.0.1:1'] };
const error = (name: string) => Object.assign(new Error(`planted: ${name}`), { name });

/** A cluster whose connection, or whose topics, cannot be had. */
function cluster(failures: { readonly connect?: Error; readonly topics?: Error } = {}) {
  return {
    connect: vi.fn(async () => {
      if (failures.connect) throw failures.connect;
    }),
    disconnect: vi.fn(async () => undefined),
    addMultipleTargetTopics: vi.fn(async () => {
      if (failures.topics) throw failures.topics;
    }),
    findTopicPartitionMetadata: () => [{ partitionId: 0, leader: 7 }],
  } as unknown as Cluster;
}

test.each(['KafkaJSSASLAuthenticationError', 'KafkaJSProtocolError', 'KafkaJSNonRetriableError'])(
  'what kept it from opening once (%s) does not keep it from opening again',
  async (name) => {
    const first = cluster({ connect: error(name) });
    vi.mocked(createCluster).mockReturnValueOnce(first).mockReturnValueOnce(cluster());
    const connection = new Connection(config);
    await expect(connection.leaderOf({ topic: 'a', partition: 0 })).rejects.toMatchObject({ name });
    expect(await connection.leaderOf({ topic: 'a', partition: 0 })).toBe(7);
    expect(first.disconnect).toHaveBeenCalledOnce();
  },
);

test('a cluster whose topics cannot be had after a loss is let go of, and does not stay connected', async () => {
  const [lost, failing] = [cluster(), cluster({ topics: error('KafkaJSNumberOfRetriesExceeded') })];
  vi.mocked(createCluster).mockReturnValueOnce(lost).mockReturnValueOnce(failing).mockReturnValueOnce(cluster());
  const connection = new Connection(config);
  await connection.leaderOf({ topic: 'a', partition: 0 });
  const broken = connection.with(async () => {
    throw error('KafkaJSConnectionError');
  });
  await expect(broken).rejects.toThrow('planted');
  await expect(connection.leaderOf({ topic: 'a', partition: 0 })).rejects.toThrow('planted');
  expect(await connection.leaderOf({ topic: 'a', partition: 0 })).toBe(7);
  expect([lost, failing].map(({ disconnect }) => vi.mocked(disconnect).mock.calls.length)).toEqual([1, 1]);
});

test('a topic that a cluster has told of only after it was let go of is asked for again', async () => {
  /** Knows, as kafkajs does, the topics alone that it was asked for. */
  const knowing = (asked: (topic: string) => Promise<void>) => {
    const topics = new Set<string>();
    return {
      ...cluster(),
      addMultipleTargetTopics: async ([topic]: [string]) => asked(topic).then(() => topics.add(topic)),
      findTopicPartitionMetadata: (topic: string) => (topics.has(topic) ? [{ partitionId: 0, leader: 7 }] : []),
    } as unknown as Cluster;
  };
  const answer = Promise.withResolvers<void>();
  const slow = knowing((topic) => (topic === 'late' ? answer.promise : Promise.resolve()));
  const next = knowing(() => Promise.resolve());
  vi.mocked(createCluster).mockReturnValueOnce(slow).mockReturnValueOnce(next);
  const connection = new Connection(config);
  const late = connection.leaderOf({ topic: 'late', partition: 0 });
  const broken = connection.with(async () => {
    throw error('KafkaJSConnectionError');
  });
  await expect(broken).rejects.toThrow('planted');
  await connection.with(async () => undefined); // The next cluster is there.
  answer.resolve();
  expect(await late).toBe(7);
  expect(await connection.leaderOf({ topic: 'late', partition: 0 })).toBe(7);
});

test('a topic that a cluster takes for known though its question had failed is asked for again', async () => {
  let isKnown = false;
  const forgetful = {
    ...cluster(),
    refreshMetadata: async () => void (isKnown = true),
    findTopicPartitionMetadata: () => (isKnown ? [{ partitionId: 0, leader: 7 }] : []),
  } as unknown as Cluster;
  vi.mocked(createCluster).mockReturnValueOnce(forgetful);
  const connection = new Connection(config);
  await expect(connection.leaderOf({ topic: 'a', partition: 0 })).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
  await vi.waitFor(async () => expect(await connection.leaderOf({ topic: 'a', partition: 0 })).toBe(7));
});

test('what was given up because the brokers could not be reached in time is not begun when they can', async () => {
  vi.useFakeTimers();
  try {
    let reach!: () => void;
    const slow = {
      ...cluster(),
      connect: () => new Promise<void>((resolve) => (reach = resolve)),
    } as unknown as Cluster;
    vi.mocked(createCluster).mockReturnValueOnce(slow);
    const work = vi.fn(async () => 'sent');
    const told = expect(new Connection(config).with(work)).rejects.toMatchObject({ code: 'LOG_TIMEOUT' });
    await vi.advanceTimersByTimeAsync(60_000);
    await told;
    reach();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(work).not.toHaveBeenCalled();
  } finally {
    vi.useRealTimers();
  }
});
