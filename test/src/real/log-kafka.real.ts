import { KafkaLog } from '@flyball/log-kafka';
import { kafkaWays, logConformance, partForTest } from '@flyball/testing';
import { type Admin, CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';

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
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const TOPICS = ['facts', 'more'];

  async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafka.admin();
    await admin.connect();
    return work(admin).finally(() => admin.disconnect());
  }

  /** Topics are deleted in the background: gone is what no broker names any more. */
  const forgetTopics = () =>
    withAdmin(async (admin) => {
      const there = async () => (await admin.listTopics()).filter((topic) => TOPICS.includes(topic));
      await admin.deleteTopics({ topics: await there() });
      await expect.poll(there, { timeout: 10_000 }).toEqual([]);
    });

  logConformance('kafka', true, async () => ({ open: () => KafkaLog.open({ url }), dispose: forgetTopics }));

  describe('a log on Kafka', () => {
    let logs: KafkaLog[] = [];
    const open = async () => {
      const log = await KafkaLog.open({ url });
      logs.push(log);
      return log;
    };
    afterEach(async () => {
      await Promise.all(logs.map((log) => log.close()));
      logs = [];
      await forgetTopics();
    });

    test('shares a group’s partitions among its processes, moves what it must, and gives back what one leaves', async () => {
      const first = await open();
      await first.create('facts', 7);
      const owned = new Map<string, readonly number[]>();
      const join = async (name: string) =>
        (await open()).join('sharers', ['facts'], (now) =>
          owned.set(
            name,
            now.map(({ partition }) => partition),
          ),
        );
      const all = () => [...owned.values()].flat().toSorted((a, b) => a - b);
      const sizes = () => [...owned.values()].map((each) => each.length).sort();
      const a = await join('a');
      await expect.poll(() => owned.get('a')?.length, { timeout: 10_000 }).toBe(7);
      const b = await join('b');
      await expect.poll(sizes, { timeout: 15_000 }).toEqual([3, 4]);
      expect(all()).toEqual([0, 1, 2, 3, 4, 5, 6]);
      const kept = owned.get('b')!;
      await a.leave();
      owned.delete('a');
      await expect.poll(all, { timeout: 15_000 }).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(owned.get('b')).toEqual(expect.arrayContaining([...kept]));
      await b.leave();
    });

    test('reads what others compress, and refuses by name what unpacks to more than memory should hold', async () => {
      const log = await open();
      await log.create('facts', 1);
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      const send = (values: readonly Buffer[]) =>
        producer.send({
          topic: 'facts',
          acks: -1,
          compression: CompressionTypes.GZIP,
          messages: values.map((value) => ({ value, headers: { h: 'x' } })),
        });
      await send([Buffer.from('a'), Buffer.alloc(900_000, 'b')]);
      await send(Array.from({ length: 130 }, () => Buffer.alloc(1_000_000)));
      await producer.disconnect();
      const at = { topic: 'facts', partition: 0 };
      const records = await log.read(at, 0, 10_000_000);
      expect(records.slice(0, 2).map(({ value }) => value.length)).toEqual([1, 900_000]);
      expect(records[0]).toMatchObject({ offset: 0, key: '', headers: { h: 'x' } });
      await expect(log.read(at, 2, 1_000)).rejects.toMatchObject({
        code: 'LOG_BATCH_UNREADABLE',
        detail: { offset: 2 },
      });
    });

    test('refuses a topic whose time is its senders’ own', async () => {
      const topics = [{ topic: 'facts', numPartitions: 1 }];
      await withAdmin((admin) => admin.createTopics({ topics, waitForLeaders: true }));
      const log = await open();
      await expect(log.create('facts', 1)).rejects.toMatchObject({ code: 'TOPIC_TIMESTAMPS', kind: 'rejected' });
    });

    test.each([
      ['kafka://user:secret@127.0.0.1:9092', {}],
      ['kafka://127.0.0.1', {}],
      ['kafka://127.0.0.1:9092?colour=red', {}],
      ['kafka://127.0.0.1:9092?sasl=scram-sha-512&user=flyball', {}],
    ])('refuses the URL %s, and does not repeat it', async (wrong, env) => {
      const error = await KafkaLog.open({ url: wrong, env }).catch((each: unknown) => each);
      expect(error).toMatchObject({ code: 'LOG_URL_INVALID' });
      expect(JSON.stringify(error) + String(error)).not.toContain('secret');
    });

    test('is refused by name where nobody answers', async () => {
      await expect(KafkaLog.open({ url: 'kafka://127.0.0.1:1' })).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    });
  });
}
