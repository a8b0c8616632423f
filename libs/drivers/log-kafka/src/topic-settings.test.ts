import { type Admin, Kafka } from 'kafkajs';
import { expect, test, vi } from 'vitest';
import { TopicSettings } from './topic-settings.ts';

// Goal: whoever has no right to a topic, or asks for what no broker can do, is not told that brokers are away.

test.each([
  ['TOPIC_AUTHORIZATION_FAILED', { code: 'LOG_FORBIDDEN' }],
  [
    'INVALID_REPLICATION_FACTOR',
    { code: 'LOG_UNAVAILABLE', message: expect.stringContaining('INVALID_REPLICATION_FACTOR') },
  ],
])('what brokers say (%s) is said', async (type, told) => {
  const fail = async () => {
    throw Object.assign(new Error('planted'), { type });
  };
  const admin = { connect: async () => undefined, disconnect: async () => undefined, createTopics: fail };
  vi.spyOn(Kafka.prototype, 'admin').mockReturnValue(admin as unknown as Admin);
  await expect(new TopicSettings({ brokers: ['127.0.0.1:1'] }).create('facts', 1)).rejects.toMatchObject(told);
});
