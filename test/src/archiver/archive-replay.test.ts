import { Archiver, ArchiverConfig } from '@flyball/archiver';
import { windowsCodec } from '@flyball/contracts';
import { createLogger } from '@flyball/host';
import { MemoryObjects } from '@flyball/memory';
import { DirectoryObjects } from '@flyball/objects-dir';
import { isFresh, Marks } from '@flyball/runtime';
import { recordsOf } from '@flyball/testing';
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { LANES, LineWorld, QUIET, SIM_CONFIG } from '../sim/line-world.ts';

// Goal: what was archived replays to the windows that people saw, and what is missing is never passed over in silence. Method: the
// simulated line, with crashes and zombies, archived into a folder; the real command over it, and over copies that were damaged.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const STORY = { ...QUIET, seconds: 120, brokenAt: 40, stableErrors: 0.3, dark: [60, 62], hole: [90, 99] } as const;
const dir = mkdtempSync(join(tmpdir(), 'flyball-archive-'));
const whole = join(dir, 'whole');
const settings = join(dir, 'flyball.yaml');
let live: readonly string[] = [];

interface Row {
  readonly startMs: number;
  readonly coverage: number;
  readonly incomplete?: boolean;
}

beforeAll(async () => {
  const { log } = await LineWorld.run(7, { zombie: 0.02, crash: 0.02, checkpoint: 0.05 }, STORY);
  const config = ArchiverConfig.parse({ segmentMs: 20_000, segmentBytes: 64_000 });
  const nowMs = () => 2_000_000_000_000;
  const archive = new DirectoryObjects(whole);
  const ports = { log, checkpoints: new MemoryObjects(), archive, logger: createLogger('silent'), nowMs };
  const archiver = new Archiver(config, ports);
  await archiver.join();
  while (await archiver.round());
  await archiver.round();
  const rows: string[] = [];
  for (let partition = 0; partition < LANES; partition += 1) {
    const marks = new Marks();
    for (const record of await recordsOf(log, { topic: 'flyball.windows', partition })) {
      if (!isFresh(record, marks)) continue;
      const message = windowsCodec.decode(record);
      if (message.type !== 'window' || message.spans + message.lateSpans + message.earlySpans === 0) continue;
      const { subject, startMs, endMs, coverage, spans, lateSpans, earlySpans, series, metrics } = message;
      const of = { environment: subject.environment, service: subject.service, startMs, endMs, coverage };
      const streams = metrics.length === 0 ? {} : { metrics };
      const counted = series.map(({ view, name, kind, count, errors, sumUs, minUs, maxUs }) => {
        return { view, name, kind, count, errors, sumUs, minUs, maxUs };
      });
      rows.push(
        JSON.stringify({ kind: message.kind, ...of, spans, lateSpans, earlySpans, series: counted, ...streams }),
      );
    }
  }
  live = rows.sort();
  const host = { logUrl: 'kafka://nowhere:9092', objectsUrl: 'file:///nowhere' };
  writeFileSync(settings, stringify({ host, ...SIM_CONFIG }));
}, 120_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const replay = (archive: string, ...more: string[]) => {
  const out = mkdtempSync(join(dir, 'out-'));
  const args = ['replay', pathToFileURL(archive).href, '--config', settings, '--out', out, ...more];
  const { status, stdout, stderr } = spawnSync(BIN, args, { encoding: 'utf8' });
  const file = join(out, 'windows.jsonl');
  const lines =
    globSync(file).length === 0
      ? []
      : readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== '');
  return { status, stderr, summary: status === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : {}, lines };
};
const rowOf = (line: string) => JSON.parse(line) as Row;
const covered = (lines: readonly string[]) => lines.filter((line) => rowOf(line).coverage === 1).toSorted();
const iso = (atMs: number) => new Date(atMs).toISOString();
/** Copies the archive, and damages the copy. */
const damaged = (name: string, damage: (path: string, bytes: Buffer) => void, pattern: string) => {
  const copy = join(dir, name);
  cpSync(whole, copy, { recursive: true });
  const path = globSync(join(copy, 'archive', pattern)).sort()[2]!;
  damage(path, readFileSync(path));
  return { copy, offsets: path.split('/').at(-1)!.split('-').slice(0, 2).map(Number) as [number, number] };
};

test('the archive replays to the windows of the live run, and twice to the same bytes', () => {
  const first = replay(whole);
  expect(first).toMatchObject({ status: 0, stderr: '', summary: { gaps: [], incompleteWindows: 0 } });
  expect(covered(first.lines)).toEqual(covered(live));
  expect(covered(live).length).toBeGreaterThan(150);
  expect(covered(live).length).toBeLessThan(live.length);
  expect(replay(join(whole, 'archive')).lines).toEqual(first.lines);
});

test('a range replays to the windows of that range', () => {
  const starts = live.map((line) => rowOf(line).startMs);
  const fromMs = Math.min(...starts) + 10_000;
  const toMs = Math.max(...starts) - 4_000;
  const { status, lines, summary } = replay(whole, '--from', iso(fromMs), '--to', iso(toMs));
  expect([status, summary['to']]).toEqual([0, iso(toMs)]);
  const wanted = live.filter((line) => {
    const { startMs } = rowOf(line);
    return startMs >= fromMs + SIM_CONFIG.aggregator.earlyMs && startMs < toMs - 10_000;
  });
  expect(covered(lines)).toEqual(expect.arrayContaining(covered(wanted)));
  expect(covered(live)).toEqual(expect.arrayContaining(covered(lines)));
  expect(covered(wanted).length).toBeGreaterThan(20);
});

test.each([
  ['missing', 'default/otlp_spans/*/1/*.otlp.zst', (path: string) => rmSync(path)],
  ['missing', '_manifests/otlp_spans/*/1/*.json', (path: string) => rmSync(path)],
  [
    'corrupt',
    'default/otlp_spans/*/1/*.ndjson.zst',
    (path: string, bytes: Buffer) => {
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(path, bytes);
    },
  ],
])(
  'what is %s (%s) is named exactly, and nothing is written; accepted, the rest is, and marked',
  (reason, pattern, damage) => {
    const { copy, offsets } = damaged(`${reason}-${pattern.length}`, damage, pattern);
    const refused = replay(copy);
    expect(refused).toMatchObject({ status: 4, lines: [] });
    expect(refused.stderr).toContain(`gap: otlp_spans/1 offsets ${offsets[0]} to ${offsets[1]} (`);
    expect(refused.stderr).toContain(reason);
    const accepted = replay(copy, '--accept-gaps');
    expect(accepted).toMatchObject({ status: 0, summary: { gaps: [{ reason, fromOffset: offsets[0] }] } });
    const untouched = accepted.lines.filter((line) => rowOf(line).incomplete !== true);
    expect(covered(live)).toEqual(expect.arrayContaining(covered(untouched)));
    expect(accepted.summary['incompleteWindows']).toBeGreaterThan(0);
  },
);

test.each([
  [['--from', 'yesterday'], 2, /no RFC 3339 time/],
  [['--from', '2001-01-01T00:00:00Z', '--to', '2001-01-02T00:00:00Z'], 4, /nothing of that range/],
  [['--to', '2050-01-01T00:00:00Z'], 4, /not archived/],
])('%s is refused by name', (args, status, message) => {
  expect(replay(whole, ...args)).toMatchObject({ status, stderr: expect.stringMatching(message) });
});

test('standard tools read it: zstd and a JSON parser, and a reader of length-prefixed OTLP', () => {
  const [records] = globSync(join(whole, 'archive/default/otlp_spans/*/0/*.ndjson.zst')).sort();
  const [bodies] = globSync(join(whole, 'archive/default/otlp_spans/*/0/*.otlp.zst')).sort();
  const plain = (path: string) => zstdDecompressSync(readFileSync(path));
  const lines = plain(records!)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { bytes: number });
  const otlp = plain(bodies!);
  const lengths: number[] = [];
  for (let at = 0; at < otlp.length; at += 4 + lengths.at(-1)!) lengths.push(otlp.readUInt32BE(at));
  expect(lengths).toEqual(lines.map(({ bytes }) => bytes));
  const cli = spawnSync('zstd', ['-t', records!, bodies!]);
  expect([0, null]).toContain(cli.status); // Where there is no zstd, Node has shown it.
  const [signals] = globSync(join(whole, 'archive/default/flyball.signals/*/*/*.ndjson.zst'));
  const [line = '{}'] = plain(signals!).toString().split('\n');
  expect(JSON.parse(line)).toMatchObject({ offset: expect.any(Number), body: { type: expect.any(String) } });
});
