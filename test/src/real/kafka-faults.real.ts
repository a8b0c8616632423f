import { Prng, textOf, UnavailableError, utf8 } from '@flyball/core';
import { KafkaLog } from '@flyball/log-kafka';
import { formatProvenance, Marks, type NewRecord, PROVENANCE_HEADER, provenanceOf } from '@flyball/runtime';
import { NativeKafka, skippable } from '@flyball/testing';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

// Goal: what was acknowledged is in the log, and what was repeated counts once, whatever happens to the brokers. Method: writers
// with a ledger repeat what is unknown unchanged, as lanes do, while the broker is killed, frozen and bounced.

const dir = mkdtempSync(join(tmpdir(), 'flyball-kafka-faults-'));
const kafka = await NativeKafka.start({ dir });
if ('missing' in kafka) test.skip(`needs Kafka: ${skippable(kafka.missing)}`);
const withKafka = test.skipIf('missing' in kafka);
const PARTITIONS = 4;
const RETRY_MS = 100;

afterAll(async () => {
  if (!('missing' in kafka)) await kafka.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** One writer of one partition, as a lane appends: in order, one at a time, the unknown repeated until it is answered. */
class Writer {
  readonly acked: string[] = [];
  unknown = 0;
  #isStopping = false;
  #log: KafkaLog;
  readonly #topic: string;
  readonly #partition: number;
  readonly #dice: Prng;

  constructor(log: KafkaLog, topic: string, partition: number) {
    this.#log = log;
    this.#topic = topic;
    this.#partition = partition;
    this.#dice = new Prng(partition);
  }

  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    for (let position = 0; !this.#isStopping; position += 1) {
      const records = Array.from({ length: 1 + this.#dice.below(4) }, (_, index): NewRecord => {
        const provenance = { origin: `lane:test/${this.#partition}`, epoch: 0, position, index };
        return {
          key: '',
          headers: { [PROVENANCE_HEADER]: formatProvenance(provenance) },
          value: utf8(`${position}.${index}`),
        };
      });
      await this.#untilAnswered(records);
      this.acked.push(...records.map(({ value }) => textOf(value)));
    }
  }

  async #untilAnswered(records: readonly NewRecord[]): Promise<void> {
    for (;;) {
      try {
        await this.#log.append({ topic: this.#topic, partition: this.#partition }, records);
        return;
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        if (error.code === 'LOG_APPEND_UNKNOWN') this.unknown += 1;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

/** What a reader with marks makes of a partition. */
async function seenIn(log: KafkaLog, topic: string, partition: number): Promise<{ seen: string[]; stored: number }> {
  const marks = new Marks();
  const seen: string[] = [];
  const { startOffset, endOffset } = await log.range({ topic, partition });
  for (let offset = startOffset; offset < endOffset;) {
    const records = await log.read({ topic, partition }, offset, 1_000_000);
    for (const { headers, value, offset: at } of records) {
      expect(at, 'offsets have no hole').toBe(offset);
      offset += 1;
      if (marks.raise(provenanceOf(headers), 0)) seen.push(textOf(value));
    }
  }
  return { seen, stored: endOffset - startOffset };
}

withKafka.each([
  [
    'is killed and comes back',
    async (broker: NativeKafka) => {
      await broker.node(1).kill();
      await broker.startNode(1);
    },
  ],
  [
    'is frozen for longer than a request may take',
    async (broker: NativeKafka) => {
      broker.node(1).signal('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      broker.node(1).signal('SIGCONT');
    },
  ],
  [
    'is stopped cleanly, twice',
    async (broker: NativeKafka) => {
      for (let bounce = 0; bounce < 2; bounce += 1) {
        await broker.node(1).stop();
        await broker.startNode(1);
      }
    },
  ],
])(
  'a broker %s: nothing acknowledged is lost, nothing counts twice',
  async (name, hurt) => {
    const broker = kafka as NativeKafka;
    const topic = `ledger-${name.length}`;
    const log = await KafkaLog.open({ url: broker.url });
    await log.create(topic, PARTITIONS);
    const writers = Array.from({ length: PARTITIONS }, (_, partition) => new Writer(log, topic, partition));
    const runs = writers.map((writer) => writer.run());
    const ackedBefore = () => Math.min(...writers.map(({ acked }) => acked.length));
    await expect.poll(ackedBefore, { timeout: 20_000 }).toBeGreaterThan(50);
    await hurt(broker);
    const reached = Math.max(...writers.map(({ acked }) => acked.length));
    await expect.poll(ackedBefore, { timeout: 60_000 }).toBeGreaterThan(reached + 50);
    for (const writer of writers) writer.stop();
    await Promise.all(runs);
    for (const [partition, { acked }] of writers.entries()) {
      const { seen, stored } = await seenIn(log, topic, partition);
      expect(seen).toEqual(acked);
      expect(stored).toBeGreaterThanOrEqual(seen.length);
    }
    await log.close();
  },
  180_000,
);

withKafka('a byte that the disk of a broker has changed is not read as what nobody wrote', async () => {
  const broker = kafka as NativeKafka;
  const log = await KafkaLog.open({ url: broker.url });
  await log.create('spoiled', 1);
  const at = { topic: 'spoiled', partition: 0 };
  for (const text of ['first', 'second', 'third']) {
    await log.append(at, [{ key: '', headers: {}, value: utf8(`the ${text} of them`) }]);
  }
  const segment = join(broker.dataDir(1), 'spoiled-0', `${'0'.repeat(20)}.log`);
  const bytes = readFileSync(segment);
  bytes.write('S', bytes.indexOf('second'));
  writeFileSync(segment, bytes);
  expect((await log.read(at, 0, 10_000)).map(({ value }) => textOf(value))).toEqual(['the first of them']);
  const detail = { offset: 1 };
  await expect(log.read(at, 1, 10_000)).rejects.toMatchObject({ code: 'LOG_BATCH_UNREADABLE', detail });
  expect((await log.read(at, 2, 10_000)).map(({ value }) => textOf(value))).toEqual(['the third of them']);
  await log.close();
});
