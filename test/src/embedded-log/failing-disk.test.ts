import { Prng } from '@flyball/core';
import { type DiskFaults, FailingDisk, skipWithout } from '@flyball/testing';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { check, hammer, newLedger, stored } from './hammered-log.ts';

// Goal: what a sender was told is true also on a disk that fails, and after a failed sync nothing goes on. Method: the hammer with
// its ledger, over a C library whose writes and syncs fail at a random place: so SQLite itself meets the failure.

const BROKEN = 74;
const scratch = mkdtempSync(join(tmpdir(), 'flyball-failing-'));
const dir = join(scratch, 'data');
const disk = FailingDisk.make(scratch, dir);
beforeEach(() => mkdirSync(dir));
afterEach(() => rmSync(dir, { recursive: true }));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
beforeEach((context) => skipWithout(context, 'missing' in disk ? disk.missing : undefined));

const ENDS: readonly [name: string, (after: number) => DiskFaults, code: string][] = [
  ['a sync fails', (after) => ({ syncs: { code: 'EIO', after } }), 'DISK_FAILED'],
  ['a sync finds no space', (after) => ({ syncs: { code: 'ENOSPC', after } }), 'DISK_FAILED'],
  ['writes fail', (after) => ({ writes: { code: 'EIO', after } }), 'DISK_FAILED'],
  ['the file system becomes read-only', (after) => ({ writes: { code: 'EROFS', after } }), 'DISK_READ_ONLY'],
];

test.each(ENDS)('%s: the process ends by name, and what it acknowledged is there', async (_name, faults, code) => {
  const failing = disk as FailingDisk;
  for (const seed of [1, 2, 3]) {
    const dice = new Prng(seed);
    const ledger = newLedger();
    failing.fail({});
    const from = 200 + dice.below(2_000);
    let isFailing = false;
    await hammer(ledger, [dir, String(seed * 1_000_000)], 50_000, {
      env: failing.env,
      onAcks: (acks) => {
        if (isFailing || acks < from) return;
        isFailing = true;
        failing.fail(faults(dice.below(20)));
      },
    });
    failing.fail({});
    expect([ledger.broken, ledger.exitCode]).toEqual([code, BROKEN]);
    const items = await stored(dir);
    check(
      { ...ledger, refused: undecided(ledger.refused) },
      items.filter((item) => ledger.sent.has(item)),
    );
    expect(ledger.acked.size).toBeGreaterThan(100);
  }
});

test.each(['ENOSPC', 'EDQUOT'] as const)(
  '%s: refused by name while it lasts, taken again by itself when there is space',
  async (code) => {
    const failing = disk as FailingDisk;
    const ledger = newLedger();
    const args = [dir, '0', '6400'];
    let ends: NodeJS.Timeout | undefined;
    await hammer(ledger, args, Infinity, {
      env: failing.env,
      onAcks: (acks) => {
        if (ends !== undefined || acks < 500) return;
        failing.fail({ writes: { code, after: 7 } });
        ends = setTimeout(() => failing.fail({}), 300);
      },
    });
    expect([ledger.broken, ledger.exitCode]).toEqual(['', 0]);
    expect(new Set(ledger.refused.values())).toEqual(new Set(['LOG_FULL']));
    check(ledger, await stored(dir));
    expect(Math.max(...ledger.acked)).toBeGreaterThan(Math.max(...ledger.refused.keys())); // It went on.
  },
);

test('writes that write a part are finished', async () => {
  const failing = disk as FailingDisk;
  failing.fail({ shortRatio: 0.3 });
  const ledger = newLedger();
  await hammer(ledger, [dir, '0', '1280'], Infinity, { env: failing.env });
  failing.fail({});
  expect(ledger.acked.size).toBe(1_280);
  check(ledger, await stored(dir));
});

/** What was refused for sure: whoever was told that nobody knows may find it stored. */
function undecided(refused: ReadonlyMap<number, string>): Map<number, string> {
  return new Map([...refused].filter(([, code]) => code !== 'LOG_APPEND_UNKNOWN'));
}
