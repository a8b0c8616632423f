import { AppError, Prng } from '@flyball/core';
import { expect, test } from 'vitest';
import { encodeProduce } from './produce-request.ts';
import { readBatches } from './record-batch.ts';

// Goal: a batch that a disk or a network has spoiled is refused by name, or read as what it says, and nothing else happens: a reader
// that never ends takes its whole process with it. Method: batches of ours with bytes changed, cut and added at random.

const ROUNDS = 4_000;
const RECORDS_MAX = 1_000;

const records = Array.from({ length: 5 }, (_, n) => ({
  key: `key ${n}`,
  headers: { 'flyball-provenance': `0.${n}.0@local:otlp_spans/3`, other: 'x'.repeat(70) },
  value: Buffer.alloc(100, n),
}));
const TOPIC = { topic: 'a', partition: 0 };
const { bytes, batchBytes } = encodeProduce(TOPIC, records, { timeoutMs: 1, nowMs: 1_000 });
const whole = bytes.subarray(bytes.length - batchBytes);

test('a whole batch is read as it was written', () => {
  const read = readBatches(whole, 0, []);
  expect(read.map(({ key, headers, value }) => ({ key, headers, value }))).toEqual(records);
});

test('a spoiled batch is refused, or read to its end', () => {
  const dice = new Prng(7);
  for (let round = 0; round < ROUNDS; round += 1) {
    const spoiled = Buffer.from(Buffer.concat([whole, whole]));
    for (let change = 1 + dice.below(3); change > 0; change -= 1) {
      spoiled[dice.below(spoiled.length)] = dice.chance(0.5) ? dice.below(256) : 0xff;
    }
    try {
      expect(readBatches(spoiled, 0, []).length).toBeLessThan(RECORDS_MAX);
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).code).toBe('LOG_BATCH_UNREADABLE');
    }
  }
});
