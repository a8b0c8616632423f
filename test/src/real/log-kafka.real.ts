import { KafkaLog } from '@flyball/log-kafka';
import { kafkaWays, logConformance, partForTest } from '@flyball/testing';
import { Kafka, logLevel } from 'kafkajs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

// Goal: what a lane relies on holds on a real Kafka as it does on one machine. Method: the port's conformance suite on a broker.

const dir = mkdtempSync(join(tmpdir(), 'flyball-kafka-'));
const part = await partForTest(kafkaWays({ dir }));
afterAll(async () => {
  if (!('missing' in part)) await part.stop();
  rmSync(dir, { recursive: true, force: true });
});

if ('missing' in part) {
  test.skip(`needs ${part.missing}`);
} else {
  const { url } = part;
  const brokers = url.replace('kafka://', '').split(',');
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();

  /** Topics are deleted in the background: gone is what no broker names any more. */
  const forgetTopics = async () => {
    await admin.connect();
    await admin.deleteTopics({ topics: ['facts'] }).catch(() => undefined);
    await expect.poll(() => admin.listTopics(), { timeout: 10_000 }).not.toContain('facts');
    await admin.disconnect();
  };

  logConformance('kafka', true, async () => ({ open: () => KafkaLog.open({ url }), dispose: forgetTopics }));

  describe('a log on Kafka', () => {
    test('is refused by name where nobody answers', async () => {
      await expect(KafkaLog.open({ url: 'kafka://127.0.0.1:1' })).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    });
  });
}
