import { KafkaLog } from '@flyball/log-kafka';
import { kafkaWays, logConformance, partForTest } from '@flyball/testing';
import { tmpdir } from 'node:os';
import { test } from 'vitest';
import { forgetTopics } from './kafka-topics.ts';

// Goal: what a lane relies on holds on a real Kafka as it does on one machine. Method: the port's conformance suite on a broker.

const part = await partForTest(kafkaWays({ dir: tmpdir() }));

if ('missing' in part) {
  test.skip(`needs ${part.missing}`);
} else {
  const { url } = part;
  logConformance('kafka', true, async () => ({
    open: () => KafkaLog.open({ url }),
    dispose: () => forgetTopics(url),
  }));
}
