import { textOf } from '@flyball/core';
import { KafkaLog } from '@flyball/log-kafka';
import { kafkaWays, partForTest } from '@flyball/testing';
import { CompressionTypes } from 'kafkajs';
import { tmpdir } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { stockKafka } from '../cluster/stock-kafka.ts';
import { forgetTopics, withAdmin } from './kafka-topics.ts';

// Goal: what is known to go wrong with Kafka and its clients does not reach a lane. Method: each trap, on a broker.

const part = await partForTest(kafkaWays({ dir: tmpdir() }));
const url = 'missing' in part ? '' : part.url;
const withKafka = test.skipIf('missing' in part);
if ('missing' in part) test.skip(`needs ${part.missing}`);

let logs: KafkaLog[] = [];
const open = async () => {
  const log = await KafkaLog.open({ url });
  logs.push(log);
  return log;
};
afterEach(async () => {
  if (url === '') return;
  await Promise.all(logs.map((log) => log.close()));
  logs = [];
  await forgetTopics(url);
});

withKafka(
  'shares a group’s partitions among its processes, moves what it must, and gives back what one leaves',
  async () => {
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
  },
);

withKafka('reads what others compress, and refuses by name what unpacks to more than memory should hold', async () => {
  const log = await open();
  await log.create('facts', 1);
  const producer = stockKafka(url).producer({ allowAutoTopicCreation: false });
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

withKafka('what a foreign transaction has aborted never happened, and what it has committed counts', async () => {
  const log = await open();
  await log.create('facts', 1);
  const producer = stockKafka(url).producer({
    transactionalId: 'foreign',
    maxInFlightRequests: 1,
    idempotent: true,
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  for (const [index, word] of ['kept', 'dropped', 'kept', 'dropped'].entries()) {
    const transaction = await producer.transaction();
    for (const part of ['a', 'b']) {
      await transaction.send({ topic: 'facts', messages: [{ value: `${word} ${index}${part}`, headers: { h: 'x' } }] });
    }
    await (word === 'kept' ? transaction.commit() : transaction.abort());
  }
  await producer.disconnect();
  const at = { topic: 'facts', partition: 0 };
  // The last marker is written after its transaction is answered; until then nothing behind it may be read.
  await expect.poll(async () => (await log.read(at, 0, 1_000_000)).length, { timeout: 10_000 }).toBe(12);
  const { endOffset } = await log.range(at);
  expect(endOffset).toBe(12);
  const all = ['kept 0a', 'kept 0b', '', '', '', '', 'kept 2a', 'kept 2b', '', '', '', ''];
  for (let from = 0; from < endOffset; from += 1) {
    const records = await log.read(at, from, 1_000_000);
    expect(records.map(({ offset }) => offset)).toEqual(all.slice(from).map((_, index) => from + index));
    expect(records.map(({ value }) => textOf(value))).toEqual(all.slice(from));
  }
});

withKafka('refuses a topic whose time is its senders’ own', async () => {
  const topics = [{ topic: 'facts', numPartitions: 1 }];
  await withAdmin(url, (admin) => admin.createTopics({ topics, waitForLeaders: true }));
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

withKafka('is refused by name where nobody answers', async () => {
  await expect(KafkaLog.open({ url: 'kafka://127.0.0.1:1' })).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
});
