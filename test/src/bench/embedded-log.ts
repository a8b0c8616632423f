import { EmbeddedLog } from '@flyball/log-embedded';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from './measure.ts';

const VALUE_BYTES = 54_800;
const IN_FLIGHT = 32;
const APPENDS = 6_000;
const AT = { topic: 'raw', partition: 0 };

/** Durable appends of request-sized values, and reading them back from disk and from the tail. */
export async function benchEmbeddedLog(): Promise<readonly Finding[]> {
  const dir = mkdtempSync(join(tmpdir(), 'flyball-bench-'));
  const mb = (values: number) => (values * VALUE_BYTES) / 1e6;
  try {
    const log = await EmbeddedLog.open({ dir });
    await log.create('raw', 1);
    const record = { key: '', headers: { 'flyball-tenant': 'default' }, value: new Uint8Array(VALUE_BYTES).fill(7) };
    const appended = await cost(async () => {
      let sent = 0;
      const sender = async () => {
        while ((sent += 1) <= APPENDS) await log.append(AT, [record]);
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
    });
    const { endOffset } = await log.range(AT);
    const tail = await cost(async () => {
      for (let offset = endOffset - 1_000; offset < endOffset; offset += 10)
        await log.read(AT, offset, VALUE_BYTES * 10);
    });
    await log.close();
    const again = await EmbeddedLog.open({ dir });
    const read = await cost(async () => {
      for (let offset = 0; offset < endOffset;) offset += (await again.read(AT, offset, 1_000_000)).length;
    });
    await again.close();
    const unit = 'MB/CPU-s';
    return [
      {
        name: 'embedded log: append, fsynced, 54.8 KB, 32 in flight',
        value: mb(APPENDS) / appended.cpuS,
        unit,
        against: `${Math.round(APPENDS / appended.wallS)} appends/s`,
      },
      {
        name: 'embedded log: read from disk',
        value: mb(endOffset) / read.cpuS,
        unit,
        against: `${(mb(endOffset) / read.cpuS / (mb(APPENDS) / appended.cpuS)).toFixed(1)}x the append`,
      },
      { name: 'embedded log: read from the tail', value: mb(1_000) / Math.max(tail.cpuS, 1e-4), unit, against: '' },
    ];
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function cost(work: () => Promise<void>): Promise<{ cpuS: number; wallS: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuS: (user + system) / 1e6, wallS: (performance.now() - start) / 1_000 };
}
