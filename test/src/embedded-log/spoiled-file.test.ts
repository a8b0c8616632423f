import { Prng, textOf, utf8 } from '@flyball/core';
import { EmbeddedLog } from '@flyball/log-embedded';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';

// Goal: of a file that is not what was written nothing wrong is handed out and nothing is left out in silence: what is well is
// read, what is not has a code, and a file that cannot be trusted at all is refused at the start. Method: a table of spoils, and
// bytes that are flipped anywhere.

const RECORDS = 200;
const FLIPS = 24;
const PAGE_BYTES = 16_384;
const AT = { topic: 'items', partition: 0 };
const scratch = mkdtempSync(join(tmpdir(), 'flyball-spoiled-'));
const truth = Array.from({ length: RECORDS }, (_, item) => `${item} ${'x'.repeat((item * 7) % 900)}`);
let whole: Buffer;

beforeAll(async () => {
  const dir = join(scratch, 'whole');
  const log = await EmbeddedLog.open({ dir });
  await log.create(AT.topic, 1);
  const records = truth.map((text, item) => ({ key: `k${item}`, headers: { item: `${item}` }, value: utf8(text) }));
  for (let from = 0; from < RECORDS; from += 20) await log.append(AT, records.slice(from, from + 20));
  await log.close();
  whole = readFileSync(join(dir, 'log.sqlite'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** Opens a spoiled copy. Returns the code of its refusal, or what was read and the codes of what was not. */
async function read(
  bytes: Uint8Array,
  beside: readonly string[] = [],
): Promise<{ refusal: string; items: number[]; codes: Set<string> }> {
  const dir = mkdtempSync(join(scratch, 'copy-'));
  writeFileSync(join(dir, 'log.sqlite'), bytes);
  for (const name of beside) writeFileSync(join(dir, name), 'x');
  const found = { refusal: '', items: [] as number[], codes: new Set<string>() };
  const codeOf = (error: unknown) => (error as { code: string }).code;
  try {
    const log = await EmbeddedLog.open({ dir, budgetBytes: 1_000_000 });
    const { endOffset } = await log.range(AT).catch(() => ({ endOffset: 0 }));
    if (endOffset === 0) found.refusal = await log.describe(AT.topic).then(() => 'EMPTY', codeOf);
    for (let next = 0; next < endOffset;) {
      const records = await log.read(AT, next, 1_000).catch((error: unknown) => void found.codes.add(codeOf(error)));
      for (const { offset, key, headers, value } of records ?? []) {
        expect([offset, key, headers, textOf(value)]).toEqual([next, `k${next}`, { item: `${next}` }, truth[next]]);
        found.items.push(offset);
        next += 1;
      }
      if (records === undefined) next += 1;
    }
    await log.close().catch(() => undefined);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    found.refusal = codeOf(error);
  }
  rmSync(dir, { recursive: true });
  return found;
}

test(`${FLIPS} flipped bytes: what is handed out is what was written, and what is not has a code`, async () => {
  const dice = new Prng(20261125);
  const pages = whole.length / PAGE_BYTES;
  let spoiled = 0;
  for (let flip = 0; flip < FLIPS; flip += 1) {
    const bytes = Uint8Array.from(whole);
    // One in three in the first bytes of a page, where SQLite says what it holds.
    const at = flip % 3 === 0 ? dice.below(pages) * PAGE_BYTES + dice.below(40) : dice.below(bytes.length);
    bytes[at]! ^= 1 << dice.below(8);
    const { refusal, items, codes } = await read(bytes);
    if (refusal !== '') expect(['LOG_UNREADABLE', 'TOPIC_UNKNOWN'], `byte ${at}`).toContain(refusal);
    else if (items.length < RECORDS) expect([...codes], `byte ${at}`).toEqual(['LOG_CORRUPT']);
    if (refusal !== '' || codes.size > 0) spoiled += 1;
  }
  expect(spoiled).toBeGreaterThan(3);
}, 60_000);

test('a value that was spoiled costs itself alone: what is before it and after it is read', async () => {
  const at = whole.indexOf(`100 ${'x'.repeat(50)}`);
  const bytes = Uint8Array.from(whole);
  bytes[at + 10]! ^= 1;
  const { items, codes } = await read(bytes);
  expect([...codes]).toEqual(['LOG_CORRUPT']);
  expect(items).toEqual(truth.map((_, item) => item).filter((item) => item !== 100));
});

test.each([
  ['of zero length', () => new Uint8Array(0), 'LOG_UNREADABLE'],
  ['with another magic', () => Uint8Array.from(whole).fill(88, 0, 16), 'LOG_UNREADABLE'],
  ['cut in the middle', () => whole.subarray(0, 3 * PAGE_BYTES), 'LOG_UNREADABLE'],
  ['cut within its first page', () => whole.subarray(0, 1_000), 'LOG_UNREADABLE'],
])('a file %s is refused by name, and hands out nothing wrong', async (_name, spoil, refusal) => {
  const found = await read(spoil(), ['reserve']);
  expect([found.refusal, found.items]).toEqual([refusal, []]);
});

test('a file of a later release is refused by name, and left as it is', async () => {
  const path = join(scratch, 'later.sqlite');
  writeFileSync(path, whole);
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 99');
  database.close();
  expect(await read(readFileSync(path))).toMatchObject({ refusal: 'LOG_UNREADABLE' });
});

test('records of the first format, with a checksum over their value alone, are read and added to', async () => {
  const path = join(scratch, 'first.sqlite');
  writeFileSync(path, whole);
  const database = new DatabaseSync(path);
  const { crc32 } = await import('node:zlib');
  const rows = database.prepare('SELECT offset, value FROM "records items/0"').all();
  const update = database.prepare('UPDATE "records items/0" SET crc = ? WHERE offset = ?');
  for (const { offset, value } of rows) update.run(crc32(value as Uint8Array), offset!);
  database.exec('PRAGMA user_version = 0');
  database.close();
  const found = await read(readFileSync(path));
  expect(found.items).toHaveLength(RECORDS);
  expect(found.codes.size).toBe(0);
});
