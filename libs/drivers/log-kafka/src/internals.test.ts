import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { createCluster } from './internals.ts';

// Goal: a partition without a leader is down by itself. Method: kafkajs's own reading of what brokers say of topics.

interface Metadata {
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly { partitionErrorCode: number; partitionId: number; leader: number }[];
  }[];
}

const [LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC] = [5, 3];
const require = createRequire(import.meta.url);
const { protocol } = require('kafkajs/src/protocol/requests/metadata') as {
  protocol: (of: { version: number }) => (of: { topics: readonly string[]; allowAutoTopicCreation: boolean }) => {
    response: { parse: (answer: Metadata) => Promise<Metadata> };
  };
};
const parse = (answer: Metadata) =>
  protocol({ version: 6 })({ topics: ['facts'], allowAutoTopicCreation: false }).response.parse(answer);

test('one partition without a leader does not hide who leads the others', async () => {
  expect(createCluster).toBeTypeOf('function');
  const partitionMetadata = [
    { partitionErrorCode: LEADER_NOT_AVAILABLE, partitionId: 0, leader: -1 },
    { partitionErrorCode: 0, partitionId: 1, leader: 2 },
  ];
  const answer = { topicMetadata: [{ topicErrorCode: 0, topic: 'facts', partitionMetadata }] };
  expect(await parse(answer)).toEqual(answer);
});

test('a topic that is not there still is none', async () => {
  const answer = { topicMetadata: [{ topicErrorCode: UNKNOWN_TOPIC, topic: 'facts', partitionMetadata: [] }] };
  await expect(parse(answer)).rejects.toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' });
});
