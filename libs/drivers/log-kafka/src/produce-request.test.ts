import type { NewRecord } from '@flyball/runtime';
import fc from 'fast-check';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { encodeProduce } from './produce-request.ts';
import { readBatches } from './record-batch.ts';

// Goal: whatever a service appends is what brokers are sent. A wrong length or checksum here, and a batch is refused for ever, or read as
// something else by whoever subscribes. Oracle: the bytes that kafkajs makes of the same records.

type KafkajsRequest = (of: object) => { encode(): Promise<{ buffer: Buffer }> };
const kafkajsProduce = createRequire(import.meta.url)(
  'kafkajs/src/protocol/requests/produce/v7/request',
) as KafkajsRequest;

const TO = { topic: 'flyball.windows', partition: 11 };
const TIMES = { timeoutMs: 8_000, nowMs: 1_732_600_000_123 };
/** Bytes of the request before its batch. */
const BATCH_AT = 2 + 2 + 4 + 4 + 2 + TO.topic.length + 4 + 4 + 4;

const texts = fc.string({ unit: 'grapheme', maxLength: 12 });
// Around each length at which a varint takes a byte more.
const sizes = fc.constantFrom(0, 1, 31, 63, 64, 65, 300, 8_191, 8_192, 8_193, 70_000);
const values = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  sizes.map((size) => new Uint8Array(size).fill(7)),
);
const headers = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), texts, { maxKeys: 3 });
const batches = fc.array(fc.record({ key: texts, headers, value: values }), { minLength: 1, maxLength: 20 });

const kafkajsBytes = async (records: readonly NewRecord[]) => {
  const messages = records.map(({ key, headers, value }) => {
    return { key: key === '' ? null : Buffer.from(key), value: Buffer.from(value), headers, timestamp: TIMES.nowMs };
  });
  const partitions = [{ partition: TO.partition, firstSequence: 0, messages }];
  const topicData = [{ topic: TO.topic, partitions }];
  return (await kafkajsProduce({ acks: -1, timeout: TIMES.timeoutMs, topicData }).encode()).buffer;
};

test('a request is, byte for byte, what kafkajs would send', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (records) => {
      const { bytes, batchBytes } = encodeProduce(TO, records, TIMES);
      expect(bytes.equals(await kafkajsBytes(records))).toBe(true);
      expect(batchBytes).toBe(bytes.length - BATCH_AT);
    }),
  );
});

test('a batch of more records than a byte counts is read back as it was written', () => {
  const records = Array.from({ length: 9_000 }, (_, index) => {
    return { key: `${index % 3 === 0 ? '' : index}`, headers: { kind: 'ä' }, value: Uint8Array.of(index % 256) };
  });
  const { bytes } = encodeProduce(TO, records, TIMES);
  const read = readBatches(bytes.subarray(BATCH_AT), 0, []);
  expect(read).toHaveLength(records.length);
  for (const [offset, record] of records.entries()) {
    const value = Buffer.from(record.value);
    expect(read[offset]).toEqual({ ...record, value, offset, appendedAtMs: TIMES.nowMs });
  }
});
