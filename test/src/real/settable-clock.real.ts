import { MINUTE_MS } from '@flyball/core';
import { SettableClock, skipWithout } from '@flyball/testing';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

// Goal: a chaos run that sets a clock does set it, and nothing else. Method: a process that says what time it is when asked.

const CLOCK = `process.stdin.on('data', () => console.log(JSON.stringify([Date.now(), performance.now()])))`;

test('the wall clock of a process jumps while it runs, and its monotonic clock does not', async (context) => {
  skipWithout(context, SettableClock.missing());
  const dir = mkdtempSync(join(tmpdir(), 'flyball-clock-'));
  const clock = new SettableClock(join(dir, 'clock'));
  const child = spawn(process.execPath, ['-e', CLOCK], { env: { ...process.env, ...clock.env } });
  const lines = createInterface({ input: child.stdout });
  const ask = async () => {
    child.stdin.write('?');
    const [line] = (await once(lines, 'line')) as [string];
    const [wallMs, monotonicMs] = JSON.parse(line) as [number, number];
    return { offMs: wallMs - Date.now(), monotonicMs };
  };
  const first = await ask();
  for (const aheadMs of [10 * MINUTE_MS, -10 * MINUTE_MS, 0]) {
    clock.set(aheadMs);
    await expect.poll(async () => Math.abs((await ask()).offMs - aheadMs), { timeout: 5_000 }).toBeLessThan(2_000);
    const { monotonicMs } = await ask();
    expect(monotonicMs - first.monotonicMs).toBeGreaterThanOrEqual(0);
    expect(monotonicMs - first.monotonicMs).toBeLessThan(MINUTE_MS);
  }
  child.kill();
  rmSync(dir, { recursive: true });
});
