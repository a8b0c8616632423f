import { Prng, textOf, utf8 } from '@flyball/core';
import { EmbeddedLog } from '@flyball/log-embedded';
import { SmallDisk } from '@flyball/testing';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { check, hammer, newLedger, stored } from './hammered-log.ts';

// Goal: what a sender was told is true, whatever happens to the process, the file or the disk. Method: a child
// process appends under load with a ledger; it is killed at random places, its file is torn, its disk is filled.

const KILLS = 8;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-log-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test(`an acknowledged item survives kill -9 exactly once (${KILLS} kills under load)`, async () => {
  const dice = new Prng(20261124);
  const ledger = newLedger();
  for (let kill = 0; kill < KILLS; kill += 1) {
    await hammer(ledger, [dir, String(kill * 1_000_000)], 1 + dice.below(3_000));
  }
  const items = await stored(dir);
  check(ledger, items);
  expect(ledger.acked.size).toBeGreaterThan(KILLS * 100);
  expect(ledger.sent.size).toBeGreaterThan(ledger.acked.size); // The kills did hit appends in flight.
});

test('lanes that all come to many small records at once do not end the thread of the log', async () => {
  const [lanes, count] = [12, 12_000];
  const log = await EmbeddedLog.open({ dir, tailBytes: 0 });
  await log.create('items', lanes);
  const headers = { 'flyball-provenance': '0.123456.0@local:otlp_spans/3', 'flyball-at-ms': '1795707070482' };
  const records = Array.from({ length: count }, () => ({ key: '', headers, value: utf8('{"type":"closed"}') }));
  const all = Array.from({ length: lanes }, (_, partition) => ({ topic: 'items', partition }));
  for (const to of all) for (let part = 0; part < 2; part += 1) await log.append(to, records);
  const read = await Promise.all(all.map((from) => log.read(from, 0, 1_000_000)));
  expect(read.every(({ length }) => length > 0)).toBe(true);
  await log.close();
});

test('a torn tail costs only its end: the log opens, and goes on', async () => {
  const ledger = newLedger();
  await hammer(ledger, [dir, '0'], 2_000);
  for (const cut of [1, 7, 4_096, 20_000]) {
    const torn = mkdtempSync(join(tmpdir(), 'flyball-torn-'));
    cpSync(dir, torn, { recursive: true });
    const wal = `${torn}/log.sqlite-wal`;
    truncateSync(wal, Math.max(0, statSync(wal).size - cut));
    const items = await stored(torn);
    expect(new Set(items).size).toBe(items.length);
    expect(items.filter((item) => !ledger.sent.has(item))).toEqual([]);
    const more = newLedger();
    await hammer(more, [torn, '5000000', '256'], Infinity);
    expect(more.acked.size).toBe(256);
    check({ ...more, sent: new Set([...more.sent, ...ledger.sent]) }, await stored(torn));
    rmSync(torn, { recursive: true });
  }
});

test('a second process on the same directory is refused by name, and the first goes on', async () => {
  const first = await EmbeddedLog.open({ dir });
  await first.create('items', 4);
  await expect(EmbeddedLog.open({ dir })).rejects.toMatchObject({ code: 'LOG_LOCKED' });
  const script = `import('${new URL('../../../libs/drivers/log-embedded/src/index.ts', import.meta.url).href}')
    .then(({ EmbeddedLog }) => EmbeddedLog.open({ dir: ${JSON.stringify(dir)} }))
    .catch((error) => { process.stdout.write(error.code); })`;
  expect(execFileSync(process.execPath, ['-e', script]).toString()).toBe('LOG_LOCKED');
  await first.append({ topic: 'items', partition: 0 }, [{ key: '', headers: {}, value: utf8('a') }]);
  await first.close();
  await (await EmbeddedLog.open({ dir })).close();
});

test('an append that the worker took with it is not called refused: nobody can tell', async () => {
  const posted = vi.spyOn(Worker.prototype, 'postMessage');
  const onBroken = vi.fn();
  const log = await EmbeddedLog.open({ dir, onBroken });
  await log.create('items', 1);
  const items = { topic: 'items', partition: 0 };
  const worker = posted.mock.contexts.at(-1) as Worker;
  posted.mockImplementation(() => undefined); // From now on nothing reaches it.
  const append = log.append(items, [{ key: '', headers: {}, value: utf8('a') }]);
  const read = log.committed('reader', items);
  const answers = Promise.allSettled([append, read]);
  await worker.terminate();
  posted.mockRestore();
  expect(await answers).toMatchObject([
    { reason: { code: 'LOG_APPEND_UNKNOWN' } },
    { reason: { code: 'LOG_UNAVAILABLE' } },
  ]);
  await expect(log.append(items, [])).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  // Nothing in this process brings it back: whoever runs it must be told.
  expect(onBroken.mock.calls).toMatchObject([[{ code: 'LOG_UNAVAILABLE' }]]);
  await log.close();
});

test('an append that fails in the middle leaves nothing behind', async () => {
  const log = await EmbeddedLog.open({ dir });
  await log.create('items', 1);
  const items = { topic: 'items', partition: 0 };
  const record = { key: '', headers: {}, value: utf8('a') };
  await expect(log.append(items, [record, { ...record, key: {} as string }])).rejects.toMatchObject({
    kind: 'unavailable',
  });
  expect(await log.append(items, [record])).toMatchObject({ firstOffset: 0 });
  await log.close();
  const reopened = await EmbeddedLog.open({ dir });
  expect(await reopened.range(items)).toEqual({ startOffset: 0, endOffset: 1 });
  await reopened.close();
});

test('a value that the disk gives back otherwise than it was written is refused by name, and what is before it is not', async () => {
  const log = await EmbeddedLog.open({ dir });
  await log.create('items', 1);
  const items = { topic: 'items', partition: 0 };
  for (const text of ['first', 'second']) await log.append(items, [{ key: '', headers: {}, value: utf8(text) }]);
  await log.close();
  const database = new DatabaseSync(`${dir}/log.sqlite`);
  database.exec(`UPDATE "records items/0" SET value = CAST('secone' AS BLOB) WHERE offset = 1`);
  database.close();
  const reopened = await EmbeddedLog.open({ dir });
  expect(textOf((await reopened.read(items, 0, 1))[0]!.value)).toBe('first');
  await expect(reopened.read(items, 1, 1)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  await reopened.close();
});

test('a file that is no database of ours is refused by name', async () => {
  writeFileSync(`${dir}/log.sqlite`, 'this is not a database, but it is long enough to look at'.repeat(1_000));
  await expect(EmbeddedLog.open({ dir })).rejects.toMatchObject({ code: 'LOG_UNREADABLE' });
});

describe('a budget that is used up', () => {
  const value = new Uint8Array(100_000);
  const append = (log: EmbeddedLog, topic: string) =>
    log.append({ topic, partition: 0 }, [{ key: '', headers: {}, value }]);

  test('refuses raw telemetry first, keeps a share for commands, and takes more when something was trimmed', async () => {
    const log = await EmbeddedLog.open({ dir, budgetBytes: 4_000_000, reservedTopics: ['control'], tailBytes: 1_000 });
    await log.create('raw', 1);
    await log.create('control', 1);
    let kept = 0;
    const refusal = await (async () => {
      for (;;) {
        try {
          await append(log, 'raw');
          kept += 1;
        } catch (error) {
          return error;
        }
      }
    })();
    expect(refusal).toMatchObject({ code: 'LOG_FULL', kind: 'unavailable' });
    expect(kept).toBeGreaterThan(20);
    await append(log, 'control');
    expect((await log.usage()).usedBytes).toBeLessThanOrEqual(4_000_000);
    expect(await log.range({ topic: 'raw', partition: 0 })).toEqual({ startOffset: 0, endOffset: kept });
    await log.trim({ topic: 'raw', partition: 0 }, 10);
    await append(log, 'raw');
    expect((await log.read({ topic: 'raw', partition: 0 }, kept, 1))[0]!.value).toEqual(value);
    await log.close();
  });
});

test('a budget is not exceeded by many that come at the same time', async () => {
  const log = await EmbeddedLog.open({ dir, budgetBytes: 4_000_000, reservedTopics: [] });
  await log.create('raw', 1);
  const record = { key: '', headers: {}, value: new Uint8Array(100_000) };
  const answers = await Promise.allSettled(
    Array.from({ length: 70 }, () => log.append({ topic: 'raw', partition: 0 }, [record])),
  );
  expect(answers.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(20);
  expect(answers.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(20);
  expect((await log.usage()).usedBytes).toBeLessThanOrEqual(4_000_000);
  await log.close();
});

test('a full disk refuses by name, loses nothing that was acknowledged, trims, and goes on when space is freed', async ({
  skip,
}) => {
  const small = SmallDisk.mount(mkdtempSync(join(tmpdir(), 'flyball-disk-')), 48 * 1024 * 1024);
  if ('missing' in small) return skip(small.missing);
  const disk = small.dir;
  const offsets = new Map<number, number>();
  const refused = new Map<number, string>();
  try {
    writeFileSync(`${disk}/filler`, new Uint8Array(16 * 1024 * 1024));
    const log = await EmbeddedLog.open({ dir: disk, tailBytes: 1_000 });
    await log.create('items', 4);
    const send = async (item: number) => {
      const value = utf8(`${item} ${'x'.repeat(100_000)}`);
      try {
        const { firstOffset } = await log.append({ topic: 'items', partition: item % 4 }, [
          { key: '', headers: {}, value },
        ]);
        offsets.set(item, firstOffset);
      } catch (error) {
        refused.set(item, (error as { code: string }).code);
      }
    };
    for (let item = 0; item < 400; item += 8) await Promise.all(Array.from({ length: 8 }, (_, n) => send(item + n)));
    expect(offsets.size).toBeGreaterThan(50);
    expect(refused.size).toBeGreaterThan(50);
    expect(new Set(refused.values())).toEqual(new Set(['LOG_FULL']));
    expect((await log.usage()).isDiskFull).toBe(true);

    for (let partition = 0; partition < 4; partition += 1) await log.trim({ topic: 'items', partition }, 5);
    await send(1_000);
    expect(refused.get(1_000)).toBe('LOG_FULL'); // The disk is as full as before.
    rmSync(`${disk}/filler`);
    await send(1_001);
    expect(offsets.has(1_001)).toBe(true);
    await log.close();
    const kept = [...offsets].filter(([, offset]) => offset >= 5).map(([item]) => item);
    expect((await stored(disk)).sort((a, b) => a - b)).toEqual(kept.sort((a, b) => a - b));
  } finally {
    small.unmount();
    rmSync(disk, { recursive: true });
  }
});
