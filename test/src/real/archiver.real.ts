import { ArchiveReader } from '@flyball/archiver';
import { TENANT_HEADER, TOPICS } from '@flyball/contracts';
import { EMPTY_BYTES, Prng, SECOND_MS, utf8 } from '@flyball/core';
import { KafkaLog } from '@flyball/log-kafka';
import { openS3Objects } from '@flyball/objects-s3';
import {
  CheckpointStore,
  createTopics,
  Marks,
  type Objects,
  type Partition,
  type StoredRecord,
} from '@flyball/runtime';
import { NativeKafka, partForTest, type RealPart, s3Ways } from '@flyball/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ServiceProcesses } from '../cluster/service-processes.ts';

// Goal: on a real Kafka and a real S3 server, two archiver processes that are killed lose and double nothing, and trim what they
// may. Method: the service's own main, the truth kept beside, and the archive read back. The broker is this file's own: its
// topics are those of a deployment.

const LANES = 2;
const WRITTEN = ['otlp_spans', 'flyball.partials', 'flyball.control'] as const;
const dir = mkdtempSync(join(tmpdir(), 'flyball-archiver-'));
const s3 = await partForTest(s3Ways(join(dir, 's3')));
const kafka = await partForTest({
  name: 'kafka',
  urlVariable: 'FLYBALL_TEST_OWN_KAFKA_URL',
  container: () => own(),
  native: () => NativeKafka.start({ dir: join(dir, 'kafka') }),
});
afterAll(async () => {
  for (const part of [s3, kafka]) if (!('missing' in part)) await part.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function own(): Promise<RealPart> {
  const found = await NativeKafka.start({ dir: join(dir, 'kafka') });
  if ('missing' in found) throw new Error(found.missing);
  return found;
}

const missing = [s3, kafka].find((part) => 'missing' in part);
if (missing !== undefined) test.skip((missing as { missing: string }).missing, () => undefined);
else test('two archivers that are killed keep every record, and trim the log behind it', archive, 120_000);

async function archive(): Promise<void> {
  const { url, env = {} } = s3 as RealPart;
  const log = await KafkaLog.open({ url: (kafka as RealPart).url });
  await createTopics(log, { lanes: LANES, rawPartitions: LANES });
  const objects = openS3Objects(url, { ...process.env, ...env });
  const file = join(dir, 'flyball.yaml');
  const host = {
    logUrl: (kafka as RealPart).url,
    objectsUrl: url,
    lanes: LANES,
    rawPartitions: LANES,
    logLevel: 'error',
  };
  const archiver = {
    ...{ segmentMs: SECOND_MS, segmentBytes: 100_000, idleCutMs: 500, pollMs: 50, bufferBytes: 200_000 },
    ...{ trimEveryMs: 200, rawLogMs: 1_000, derivedLogMs: 1_000, residency: { acme: 'eu' } },
  };
  writeFileSync(file, stringify({ host, archiver }));
  const services = new ServiceProcesses({ ...env }, { logDir: dir });
  const names = ['archiver-1', 'archiver-2'];
  for (const name of names) await services.start({ name, service: 'archiver', args: [`--config=${file}`] });
  try {
    const truth = await write(log, async (round) => {
      if (round % 20 !== 19) return;
      const name = names[(round / 20) & 1]!;
      await services.kill(name);
      await services.restart(name);
    });
    const reader = new ArchiveReader(objects);
    await expect.poll(() => readAll(reader), { timeout: 40_000, interval: 1_000 }).toEqual(truth);
    expect((await reader.plan({ topics: WRITTEN, fromMs: 0, toMs: Infinity })).gaps).toEqual([]);
    expect((await objects.list('eu/archive/acme/otlp_spans/')).length).toBeGreaterThan(2);
    await expectTrimmed(log, objects);
    expect(await readAll(reader)).toEqual(truth);
  } finally {
    await services.stop();
    await log.close();
  }
}

/** Appends records of all kinds for some seconds. @returns what the log said of them, by partition. */
async function write(
  log: KafkaLog,
  onRound: (round: number) => Promise<void>,
): Promise<Record<string, StoredRecord[]>> {
  const dice = new Prng(1);
  const truth: Record<string, StoredRecord[]> = {};
  for (let round = 0; round < 80; round += 1) {
    const at: Partition = { topic: dice.pick(WRITTEN), partition: dice.below(LANES) };
    const records = Array.from({ length: 1 + dice.below(20) }, () => {
      const tenant = dice.pick(['default', 'acme']);
      const bytes = Uint8Array.from({ length: dice.below(2_000) }, () => dice.below(256));
      const value = at.topic === 'flyball.control' ? utf8(JSON.stringify({ type: 'word', text: dice.hex(50) })) : bytes;
      return { key: tenant, headers: { [TENANT_HEADER]: tenant, nth: dice.hex(8) }, value };
    });
    const { firstOffset, appendedAtMs } = await log.append(at, records);
    const known = (truth[`${at.topic}/${at.partition}`] ??= []);
    records.forEach((record, index) => known.push({ ...record, offset: firstOffset + index, appendedAtMs }));
    await onRound(round);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return truth;
}

async function readAll(reader: ArchiveReader): Promise<Record<string, StoredRecord[]>> {
  const found: Record<string, StoredRecord[]> = {};
  const plan = await reader.plan({ topics: TOPICS, fromMs: 0, toMs: Date.now() + SECOND_MS });
  for await (const { topic, partition, record } of reader.read(plan))
    (found[`${topic}/${partition}`] ??= []).push(record);
  return found;
}

/** A lane of raw telemetry says where it is: the log is trimmed up to there; facts, and what has no checkpoint, stay. */
async function expectTrimmed(log: KafkaLog, objects: Objects): Promise<void> {
  const at = { topic: 'otlp_spans', partition: 0 };
  const { endOffset } = await log.range(at);
  const offset = endOffset - 20;
  const { id: topicId } = await log.describe(at.topic);
  const about = {
    lane: 'local:otlp_spans/0',
    epoch: 0,
    offset,
    topicId,
    last: null,
    behaviour: 'b',
    state: EMPTY_BYTES,
  };
  const startOf = async (of: Partition) => (await log.range(of)).startOffset;
  expect(await startOf(at)).toBe(0);
  await new CheckpointStore(objects).put({ ...about, marks: new Marks().save() });
  await expect.poll(() => startOf(at), { timeout: 20_000 }).toBeGreaterThan(0);
  expect(await startOf(at)).toBeLessThanOrEqual(offset);
  for (const topic of WRITTEN) expect(await startOf({ topic, partition: 1 })).toBe(0);
  expect(await startOf({ topic: 'flyball.control', partition: 0 })).toBe(0);
}
