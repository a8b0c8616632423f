import { AuditFiles, verifyAudit } from '@flyball/audit-files';
import { auditCodec, type AuditEntry, EMPTY_CHAIN, link } from '@flyball/contracts';
import { Prng, UnavailableError, utf8 } from '@flyball/core';
import { MemoryLog } from '@flyball/memory';
import type { Log } from '@flyball/runtime';
import { altered } from '@flyball/testing';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Goal: whoever changes, removes, adds or reorders one record of what was done is found out, with its place, from the
// files alone. Method: a true audit is written, then one thing is done to its files.

const ENTRIES = 12;
let dir: string;
const entriesPath = () => join(dir, 'audit/tenant-default/entries.ndjson');
const headsPath = () => join(dir, 'audit/tenant-default/heads.ndjson');
const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');
const write = (path: string, list: readonly string[]) => writeFileSync(path, `${list.join('\n')}\n`);

async function logWith(count: number): Promise<MemoryLog> {
  const log = new MemoryLog(() => 1);
  await log.create('flyball.audit', 1);
  let head = EMPTY_CHAIN;
  for (let index = 0; index < count; index += 1) {
    const fact = { type: 'pause' as const, wordId: `w${index}`, actor: 'cli', tenant: 'default', reason: `${index}` };
    const entry = link(head, { type: 'trail', tenant: 'default', from: 'flyball.control/0', atMs: index, fact });
    head = entry;
    await log.append({ topic: 'flyball.audit', partition: 0 }, [
      { key: 'default', headers: {}, value: auditCodec.encode(entry) },
    ]);
  }
  return log;
}
async function writeAudit(count: number): Promise<void> {
  const files = new AuditFiles(await logWith(count), dir);
  await files.start();
  await files.stop();
}
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-audit-'));
  await writeAudit(ENTRIES);
});
afterEach(() => rmSync(dir, { recursive: true }));

/** An entry with another text, which is consistent in itself. */
function fromAnotherPast(text: string): string {
  const { seq, body } = JSON.parse(text) as AuditEntry;
  return JSON.stringify(link({ seq: seq - 1, hash: 'f'.repeat(64) }, { ...JSON.parse(body), atMs: 999 }));
}

test('a true audit can be checked with nothing but SHA-256', () => {
  let prevHash = '0'.repeat(64);
  for (const [index, text] of lines(entriesPath()).entries()) {
    const entry = JSON.parse(text) as AuditEntry;
    const hash = createHash('sha256').update(`${prevHash}\n${entry.body}`).digest('hex');
    expect(entry).toMatchObject({ seq: index + 1, prevHash, hash });
    prevHash = hash;
  }
});

test('a true audit holds, is signed to its end, and its key is the owner’s alone', () => {
  expect(verifyAudit(dir)).toMatchObject([
    { tenant: 'default', ok: true, entries: ENTRIES, signedSeq: ENTRIES, problem: '' },
  ]);
  expect(statSync(join(dir, 'audit/key.pem')).mode & 0o777).toBe(0o600);
});

test('a restart goes on where the files end', async () => {
  await writeAudit(ENTRIES + 5);
  expect(verifyAudit(dir)).toMatchObject([{ ok: true, entries: ENTRIES + 5, signedSeq: ENTRIES + 5 }]);
});

test.each([
  ['edited', (list: string[], at: number) => list.with(at, list[at]!.replace('pause', 'pausf'))],
  ['removed', (list: string[], at: number) => list.toSpliced(at, 1)],
  ['doubled', (list: string[], at: number) => list.toSpliced(at, 0, list[at]!)],
  ['swapped', (list: string[], at: number) => list.with(at, list[at + 1]!).with(at + 1, list[at]!)],
  ['renumbered', (list: string[], at: number) => list.with(at, list[at]!.replace(/"seq":\d+/, '"seq":99'))],
  ['chained to another past', (list: string[], at: number) => list.with(at, fromAnotherPast(list[at]!))],
])('an entry that was %s is named', (_name, spoil) => {
  const dice = new Prng(4);
  const truth = lines(entriesPath());
  for (let round = 0; round < 20; round += 1) {
    const at = dice.below(ENTRIES - 1);
    write(entriesPath(), spoil(truth, at));
    const [report] = verifyAudit(dir);
    expect(report!.ok, `entry ${at + 1}`).toBe(false);
    const seq = Number(/entry (\d+)/.exec(report!.problem)?.[1]);
    expect(Math.abs(seq - (at + 1))).toBeLessThanOrEqual(1);
  }
});

test('an entry of a later release is waited at, and said; a log that does not answer at first is asked again', async () => {
  const log = await logWith(ENTRIES + 1);
  await log.append({ topic: 'flyball.audit', partition: 0 }, [
    { key: 'default', headers: {}, value: utf8('{"type":"audit2"}') },
  ]);
  let isAway = true;
  const range: Log['range'] = async (of) => {
    if (!isAway) return log.range(of);
    isAway = false;
    throw new UnavailableError('LOG_UNAVAILABLE', 'planted');
  };
  const read: Log['read'] = (from, fromOffset) => log.read(from, fromOffset, 1); // One by one.
  const files = new AuditFiles(altered<Log>(log, { range, read }), dir);
  await files.start();
  await vi.waitFor(() => expect(files.failure).toMatchObject({ code: 'MESSAGE_UNREADABLE' }), { timeout: 5_000 });
  await files.stop();
  expect(verifyAudit(dir)).toMatchObject([{ ok: true, entries: ENTRIES + 1 }]);
});

test('an end that is being written, or was torn by a death, is no forgery; one that was signed is missed', () => {
  appendFileSync(entriesPath(), '{"type":"audit","ten');
  appendFileSync(headsPath(), '{"seq":1');
  expect(verifyAudit(dir)).toMatchObject([{ ok: true, entries: ENTRIES, signedSeq: ENTRIES }]);
  shorten(entriesPath(), '{"type":"audit","ten'.length + 1);
  expect(verifyAudit(dir)[0]).toMatchObject({ ok: false, problem: expect.stringContaining('cut short') });
});

test('a chain that was cut short is found by its signed head', () => {
  write(entriesPath(), lines(entriesPath()).slice(0, 5));
  expect(verifyAudit(dir)[0]).toMatchObject({ ok: false, problem: expect.stringContaining('cut short') });
});

test('a chain that was written anew, consistent in itself, is found by its signatures', () => {
  let head = EMPTY_CHAIN;
  const forged = lines(entriesPath()).map((text) => {
    const body = JSON.parse((JSON.parse(text) as AuditEntry).body) as never;
    const entry = link(head, { ...(body as object), atMs: 999 } as never);
    head = entry;
    return JSON.stringify(entry);
  });
  write(entriesPath(), forged);
  expect(verifyAudit(dir)[0]).toMatchObject({ ok: false, problem: expect.stringContaining('rewritten') });
});

test('a head that was forged, or signed by another key, is refused', async () => {
  const kept = readFileSync(join(dir, 'audit/key.pub.pem'), 'utf8');
  const heads = lines(headsPath());
  write(headsPath(), [heads[0]!.replace(/"signature":"../, '"signature":"AA')]);
  expect(verifyAudit(dir)[0]).toMatchObject({ ok: false, problem: expect.stringContaining('signature') });
  write(headsPath(), heads);
  expect(verifyAudit(dir, kept)[0]).toMatchObject({ ok: true });
  // Whoever can write the folder can also make a key, and sign anew what he has written.
  rmSync(join(dir, 'audit'), { recursive: true });
  await writeAudit(ENTRIES);
  expect(verifyAudit(dir)[0]).toMatchObject({ ok: true });
  expect(verifyAudit(dir, kept)[0]).toMatchObject({ ok: false, problem: expect.stringContaining('signature') });
});

test.each([
  [
    'is of another tenant',
    (list: string[]) => list.map((text) => text.replace('"tenant":"default"', '"tenant":"other"')),
  ],
  ['was never signed', undefined],
])('a chain that %s is refused', (_name, spoil) => {
  if (spoil === undefined) rmSync(headsPath());
  else write(entriesPath(), spoil(lines(entriesPath())));
  expect(verifyAudit(dir)[0]).toMatchObject({ ok: false });
});

test('a signature vouches for its tenant alone', () => {
  cpSync(join(dir, 'audit/tenant-default'), join(dir, 'audit/tenant-fedault'), { recursive: true });
  const stolen = join(dir, 'audit/tenant-fedault/entries.ndjson');
  write(
    stolen,
    lines(stolen).map((text) => text.replaceAll('default', 'fedault')),
  );
  let head = EMPTY_CHAIN;
  const chained = lines(stolen).map((text) => {
    const entry = link(head, JSON.parse((JSON.parse(text) as AuditEntry).body) as never);
    head = entry;
    return JSON.stringify(entry);
  });
  write(stolen, chained);
  expect(verifyAudit(dir)[1]).toMatchObject({
    tenant: 'fedault',
    ok: false,
    problem: expect.stringContaining('signature'),
  });
});

/** Starts anew on spoiled files, with more to write. Returns the code of what is wrong, or ''. */
async function restarted(): Promise<string> {
  const files = new AuditFiles(await logWith(ENTRIES + 3), dir);
  try {
    await files.start();
    await files.stop();
    return files.failure?.code ?? '';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const keyPath = () => join(dir, 'audit/key.pem');
const shorten = (path: string, bytes: number) => truncateSync(path, statSync(path).size - bytes);

test.each<[string, () => void]>([
  ['an entry torn at the end that nobody has signed', () => appendFileSync(entriesPath(), '{"type":"audit","ten')],
  ['a signed head torn at the end', () => shorten(headsPath(), 7)],
  ['no signed heads at all', () => truncateSync(headsPath(), 0)],
  ['the public key lost', () => rmSync(join(dir, 'audit/key.pub.pem'))],
])('a start on %s goes on, and the audit is whole', async (_name, spoil) => {
  spoil();
  expect(await restarted()).toBe('');
  expect(verifyAudit(dir)).toMatchObject([{ ok: true, entries: ENTRIES + 3, signedSeq: ENTRIES + 3 }]);
});

test.each<[string, () => void, string]>([
  ['an entry torn that was signed', () => shorten(entriesPath(), 7), 'AUDIT_CORRUPT'],
  ['entries of zero length', () => truncateSync(entriesPath(), 0), 'AUDIT_CORRUPT'],
  ['entries cut in the middle', () => shorten(entriesPath(), 900), 'AUDIT_CORRUPT'],
  [
    'a byte flipped in the middle',
    () => write(entriesPath(), lines(entriesPath()).with(4, lines(entriesPath())[4]!.replace('w4', 'w5'))),
    'AUDIT_CORRUPT',
  ],
  ['a line that is no JSON', () => write(entriesPath(), lines(entriesPath()).with(4, 'x')), 'AUDIT_CORRUPT'],
  ['a key of zero length', () => truncateSync(keyPath(), 0), 'AUDIT_KEY_UNREADABLE'],
  ['a key that is none', () => writeFileSync(keyPath(), 'no key'), 'AUDIT_KEY_UNREADABLE'],
])('a start on %s is refused by name, and nothing is written behind it', async (_name, spoil, code) => {
  spoil();
  const before = [entriesPath(), headsPath(), keyPath()].map((path) => readFileSync(path, 'utf8'));
  expect(await restarted()).toBe(code);
  expect([entriesPath(), headsPath(), keyPath()].map((path) => readFileSync(path, 'utf8'))).toEqual(before);
});

test('what the log does not give out is not written, and that is said, until it is given out; a log that is away is not', async () => {
  const log = await logWith(ENTRIES);
  let [code, reads] = ['LOG_UNAVAILABLE', 0];
  const spoiled = altered<Log>(log, {
    read: async (...of) => {
      reads += 1;
      if (code !== '') throw new UnavailableError(code, 'planted');
      return log.read(...of);
    },
  });
  const files = new AuditFiles(spoiled, dir);
  await files.start();
  await expect.poll(() => reads).toBeGreaterThan(0);
  expect(files.failure).toBeUndefined();
  code = 'LOG_CORRUPT';
  await expect.poll(() => files.failure?.code, { timeout: 5_000 }).toBe('LOG_CORRUPT');
  expect(reads).toBeLessThan(20);
  code = '';
  await expect.poll(() => files.failure, { timeout: 5_000 }).toBeUndefined();
  await files.stop();
  expect(lines(entriesPath())).toHaveLength(ENTRIES);
});
