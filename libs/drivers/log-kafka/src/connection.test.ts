import { expect, test, vi } from 'vitest';
import { Connection } from './connection.ts';
import { type Cluster, createCluster } from './internals.ts';

// Goal: whatever went wrong with the brokers once, the next request starts from nothing that is broken. Method: clusters in place of
// kafkajs's, the first of which fails to open.

vi.mock('./internals.ts', { spy: true });

const config = { brokers: ['127.0.0.1:1'] };
const error = (name: string) => Object.assign(new Error(`planted: ${name}`), { name });

type Doing = () => Promise<void>;

/** As kafkajs's: it knows the topics alone that it has asked for, asks once for each, and whoever asks meanwhile shares the answer. */
function cluster({ connect = nothing, ask = nothing }: { readonly connect?: Doing; readonly ask?: Doing } = {}) {
  const [wanted, told] = [new Set<string>(), new Set<string>()];
  let underWay: Promise<void> | undefined;
  const refreshMetadata = () => {
    const asked = [...wanted];
    underWay ??= ask()
      .then(() => asked.forEach((topic) => told.add(topic)))
      .finally(() => (underWay = undefined));
    return underWay;
  };
  return {
    connect,
    disconnect: vi.fn(nothing),
    refreshMetadata,
    addMultipleTargetTopics: async (topics: readonly string[]) => {
      const isNew = topics.some((topic) => !wanted.has(topic));
      for (const topic of topics) wanted.add(topic);
      if (isNew) await refreshMetadata();
    },
    findTopicPartitionMetadata: (topic: string) => {
      if (told.size === 0) throw error('KafkaJSTopicMetadataNotLoaded');
      return told.has(topic) ? [{ partitionId: 0, leader: 7 }] : [];
    },
  } as unknown as Cluster;
}

async function nothing(): Promise<void> {
  // As good as done.
}

function failing(name: string): Doing {
  return () => Promise.reject(error(name));
}

test.each(['KafkaJSSASLAuthenticationError', 'KafkaJSProtocolError', 'KafkaJSNonRetriableError'])(
  'what kept it from opening once (%s) does not keep it from opening again',
  async (name) => {
    const first = cluster({ connect: failing(name) });
    vi.mocked(createCluster).mockReturnValueOnce(first).mockReturnValueOnce(cluster());
    const connection = new Connection(config);
    await expect(connection.leaderOf({ topic: 'a', partition: 0 })).rejects.toMatchObject({ name });
    expect(await connection.leaderOf({ topic: 'a', partition: 0 })).toBe(7);
    expect(first.disconnect).toHaveBeenCalledOnce();
  },
);

test('a cluster whose topics cannot be had after a loss is let go of, and does not stay connected', async () => {
  const [lost, topicless] = [cluster(), cluster({ ask: failing('KafkaJSNumberOfRetriesExceeded') })];
  vi.mocked(createCluster).mockReturnValueOnce(lost).mockReturnValueOnce(topicless).mockReturnValueOnce(cluster());
  const connection = new Connection(config);
  await connection.leaderOf({ topic: 'a', partition: 0 });
  await expect(connection.with(failing('KafkaJSConnectionError'))).rejects.toThrow('planted');
  await expect(connection.leaderOf({ topic: 'a', partition: 0 })).rejects.toThrow('planted');
  expect(await connection.leaderOf({ topic: 'a', partition: 0 })).toBe(7);
  expect([lost, topicless].map(({ disconnect }) => vi.mocked(disconnect).mock.calls.length)).toEqual([1, 1]);
});

test('a topic that a cluster has told of only after it was let go of is asked for again', async () => {
  const answer = Promise.withResolvers<void>();
  const [slow, next] = [cluster({ ask: () => answer.promise }), cluster()];
  vi.mocked(createCluster).mockReturnValueOnce(slow).mockReturnValueOnce(next);
  const connection = new Connection(config);
  const late = connection.leaderOf({ topic: 'late', partition: 0 });
  await expect(connection.with(failing('KafkaJSConnectionError'))).rejects.toThrow('planted');
  await connection.with(async () => undefined); // The next cluster is there.
  answer.resolve();
  expect(await late).toBe(7);
  expect(await connection.leaderOf({ topic: 'late', partition: 0 })).toBe(7);
});

test('a topic whose question has failed once is asked for again', async () => {
  const ask = vi.fn(nothing).mockImplementationOnce(failing('KafkaJSProtocolError'));
  vi.mocked(createCluster).mockReturnValueOnce(cluster({ ask }));
  const connection = new Connection(config);
  await expect(connection.leaderOf({ topic: 'a', partition: 0 })).rejects.toThrow('planted');
  expect(await connection.leaderOf({ topic: 'a', partition: 0 })).toBe(7);
});

test('a topic that a question under way does not name is asked for', async () => {
  const answer = Promise.withResolvers<void>();
  const ask = vi.fn(nothing).mockImplementationOnce(nothing).mockReturnValueOnce(answer.promise);
  vi.mocked(createCluster).mockReturnValueOnce(cluster({ ask }));
  const connection = new Connection(config);
  await connection.leaderOf({ topic: 'a', partition: 0 });
  const refreshed = connection.refresh();
  await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2));
  const late = connection.leaderOf({ topic: 'late', partition: 0 });
  answer.resolve();
  await refreshed;
  expect(await late).toBe(7);
});

test('after a loss all topics are asked for at once: brokers have enough to do then', async () => {
  const ask = vi.fn(nothing);
  vi.mocked(createCluster).mockReturnValueOnce(cluster()).mockReturnValueOnce(cluster({ ask }));
  const connection = new Connection(config);
  const both = () => Promise.all(['a', 'b'].map((topic) => connection.leaderOf({ topic, partition: 0 })));
  await both();
  await expect(connection.with(failing('KafkaJSConnectionError'))).rejects.toThrow('planted');
  expect(await both()).toEqual([7, 7]);
  expect(ask).toHaveBeenCalledOnce();
});

test('a partition that there is not is said not to be there, and what is wrong with a cluster is told as it is', async () => {
  const asking = cluster();
  vi.mocked(createCluster).mockReturnValueOnce(asking);
  const connection = new Connection(config);
  await expect(connection.leaderOf({ topic: 'a', partition: 1 })).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
  vi.spyOn(asking, 'findTopicPartitionMetadata').mockImplementationOnce(() => {
    throw error('TypeError');
  });
  await expect(connection.leaderOf({ topic: 'a', partition: 0 })).rejects.toThrow('planted: TypeError');
});

test('what was given up because the brokers could not be reached in time is not begun when they can', async () => {
  vi.useFakeTimers();
  try {
    let reach!: () => void;
    const slow = cluster({ connect: () => new Promise((resolve) => (reach = resolve)) });
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
