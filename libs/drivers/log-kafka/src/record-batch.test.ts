import { AppError, Prng } from '@flyball/core';
import { expect, test } from 'vitest';
import { encodeProduce } from './produce-request.ts';
import { CRC_AT, readBatches } from './record-batch.ts';

// Goal: a batch that a disk or a network has spoiled is refused by name, and never read as something that nobody wrote: windows, and
// commands, would follow from it. Method: batches of ours with bytes changed at random.

const ROUNDS = 4_000;

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

test('a spoiled batch is refused, and only what stands whole before it is read', () => {
  const dice = new Prng(7);
  const both = Buffer.concat([whole, whole]);
  const counts = { refused: 0, before: 0, unchanged: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const spoiled = Buffer.from(both);
    for (let change = 1 + dice.below(3); change > 0; change -= 1) {
      // What stands before the checksum (offset, length, epoch) is not under it.
      const at = dice.below(2) * whole.length + CRC_AT + dice.below(whole.length - CRC_AT);
      spoiled[at] = dice.chance(0.5) ? dice.below(256) : 0xff;
    }
    const wholeBatches = spoiled.equals(both) ? 2 : Number(spoiled.subarray(0, whole.length).equals(whole));
    counts[(['refused', 'before', 'unchanged'] as const)[wholeBatches]!] += 1;
    if (wholeBatches === 0) {
      expect(() => readBatches(spoiled, 0, [])).toThrow(expect.objectContaining({ code: 'LOG_BATCH_UNREADABLE' }));
    } else {
      const values = readBatches(spoiled, 0, []).map(({ value }) => value);
      expect(values).toEqual(
        Array(wholeBatches)
          .fill(records.map(({ value }) => value))
          .flat(),
      );
    }
  }
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(0);
});

test('a batch whose length or offset is not what it was does not hold its reader up for ever', () => {
  const dice = new Prng(8);
  for (let round = 0; round < ROUNDS; round += 1) {
    const spoiled = Buffer.concat([whole, whole]);
    spoiled[dice.below(2) * whole.length + dice.below(CRC_AT)] = dice.below(256);
    try {
      expect(readBatches(spoiled, 0, []).length).toBeLessThanOrEqual(2 * records.length);
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).code).toBe('LOG_BATCH_UNREADABLE');
    }
  }
});
