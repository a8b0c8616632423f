import { Archiver, ArchiverConfig, ArchiveReader } from '@flyball/archiver';
import { createLogger } from '@flyball/host';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { DirectoryObjects } from '@flyball/objects-dir';
import { createTopics } from '@flyball/runtime';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from './measure.ts';
import { realisticRequest } from './requests.ts';

const PARTITIONS = 4;
const RECORDS = 2_000;
const SPANS = 100;
const START_MS = 1_700_000_000_000;

/** Raw telemetry from a log in memory into a folder and back: what it costs, and what is left of a span. */
export async function benchArchive(): Promise<readonly Finding[]> {
  const dir = mkdtempSync(join(tmpdir(), 'flyball-bench-'));
  const clock = { nowMs: START_MS };
  const log = new MemoryLog(() => clock.nowMs);
  await createTopics(log, { lanes: PARTITIONS, rawPartitions: PARTITIONS });
  let plainBytes = 0;
  for (let index = 0; index < RECORDS; index += 1) {
    clock.nowMs += 5;
    const value = realisticRequest(SPANS, clock.nowMs, index);
    plainBytes += value.length;
    await log.append({ topic: 'otlp_spans', partition: index % PARTITIONS }, [{ key: '', headers: {}, value }]);
  }
  const archive = new DirectoryObjects(dir);
  const ports = { log, checkpoints: new MemoryObjects(), archive, logger: createLogger('silent') };
  const written = await timed(async () => {
    const archiver = new Archiver(ArchiverConfig.parse({}), ports);
    await archiver.join();
    while (await archiver.round());
  });
  const names = (await archive.list('archive/')).filter((name) => name.includes('/default/'));
  let packedBytes = 0;
  for (const name of names) packedBytes += (await archive.get(name))!.length;
  const read = await timed(async () => {
    const reader = new ArchiveReader(archive);
    const plan = await reader.plan({ topics: ['otlp_spans'], fromMs: 0, toMs: Infinity });
    for await (const { record } of reader.read(plan)) if (record.value.length === 0) throw new Error('a body is lost');
  });
  rmSync(dir, { recursive: true, force: true });
  const rate = (name: string, { seconds, cpuSeconds }: Timed): Finding => ({
    ...{ name, value: plainBytes / 1e6 / seconds, unit: 'MB/s of OTLP' },
    against: `${(plainBytes / 1e6 / cpuSeconds).toFixed(0)} MB per CPU-second`,
  });
  return [
    rate('archive: write, read back', written),
    rate('archive: check, read', read),
    {
      ...{ name: 'archive: size', value: packedBytes / (RECORDS * SPANS), unit: 'B a span' },
      against: `${(plainBytes / packedBytes).toFixed(1)}x smaller than in the log`,
    },
  ];
}

interface Timed {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function timed(work: () => Promise<void>): Promise<Timed> {
  const [startMs, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - startMs) / 1_000, cpuSeconds: (user + system) / 1e6 };
}
