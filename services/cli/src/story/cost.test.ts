import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { tellCost } from './cost.ts';
import type { Stage } from './stage.ts';
import type { Teller } from './teller.ts';

// Goal: a story that has held is not lost at its last line, because a process is just coming back when all are asked what they cost.
// Method: one process that answers, one that is not there, and a folder that is gone.

const METRICS = [
  `process_start_time_seconds ${Date.now() / 1_000 - 100}`,
  'process_cpu_seconds_total 25',
  'process_resident_memory_bytes 200000000',
].join('\n');
const dir = mkdtempSync(join(tmpdir(), 'flyball-cost-'));
writeFileSync(join(dir, 'log'), Buffer.alloc(1_000_000, 1));
const server = createServer((_, response) => response.end(METRICS)).listen(0, '127.0.0.1');
const closed = createServer().listen(0, '127.0.0.1');
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});
const urlOf = ({ address, port }: AddressInfo) => `http://${address}:${port}`;

async function costOf(metrics: readonly string[]): Promise<string> {
  let told = '';
  const teller = { note: (_: string, text: string) => (told = text) } as unknown as Teller;
  await tellCost({ cost: () => ({ metrics, dirs: [dir, join(dir, 'gone')] }) } as unknown as Stage, teller);
  return told;
}

test('what all processes cost is told, and of how many where one does not answer', async () => {
  const here = urlOf(server.address() as AddressInfo);
  const away = urlOf(closed.address() as AddressInfo);
  await new Promise((resolve) => closed.close(resolve));
  expect(await costOf([here])).toMatch(/^0\.25 cores, 200 MB of memory, 1\.0 MB of disk$/);
  expect(await costOf([here, here])).toMatch(/^0\.50 cores, 400 MB of memory in 2 processes, /);
  expect(await costOf([here, away])).toMatch(/^0\.25 cores, 200 MB of memory in 1 of 2 processes, /);
});
