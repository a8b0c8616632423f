import { Prng } from '@flyball/core';
import { skipWithout } from '@flyball/testing';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findChromium } from '../console/chromium.ts';
import { lineOf, type RecordedSpan } from './recording.ts';

// Goal: whoever has recorded an incident sees on one page, without a network, what Flyball would have seen and done, and when
// their own pager went; and nothing that telemetry says can run there. Method: the real command over a made-up recording of a
// faulty release; the slider in a headless browser, where one is installed.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const POLICIES = new URL('../../../services/planner/policies', import.meta.url).pathname;
const START_MS = Date.UTC(2026, 0, 5, 9, 0, 0);
/** When the faulty release comes: after its service's normal was learned. */
const FAULT_MS = START_MS + 400_000;
const SERVICE = 'pay"><script>alert(1)</script>\u202E';
const chromium = findChromium();

let dir: string;
let page: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-report-'));
  const dice = new Prng(5);
  const lines: RecordedSpan[][] = [];
  for (let atMs = START_MS; atMs < FAULT_MS + 200_000; atMs += 1_000) {
    lines.push(
      Array.from({ length: 8 }, (_, index) => {
        const isCanary = atMs > FAULT_MS && index < 3;
        const about = { environment: 'prod', service: SERVICE, kind: 2, durationMs: 20 + dice.below(20) };
        const isError = dice.chance(isCanary ? 0.4 : 0.002);
        return { ...about, version: isCanary ? 'v2' : 'v1', endMs: atMs + index, isError };
      }),
    );
  }
  mkdirSync(join(dir, 'policies'));
  const shipped = readFileSync(`${POLICIES}/rollback-failing-release.yaml`, 'utf8');
  const forProduction = shipped.replace('demo*', 'prod').replace('freshnessSeconds: 10', 'freshnessSeconds: 30');
  writeFileSync(join(dir, 'policies', 'release.yaml'), forProduction);
  writeFileSync(join(dir, 'day.jsonl'), lines.map((line) => lineOf(line, dice)).join('\n'));
  const time = (ms: number) => new Date(ms).toISOString();
  writeFileSync(join(dir, 'pages.csv'), `timestamp,service\n${time(FAULT_MS + 180_000)},\n${time(START_MS)},other\n`);
  expect(report('day.html')).toMatchObject({ status: 0 });
  page = readFileSync(join(dir, 'day.html'), 'utf8');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function report(name: string, pages = join(dir, 'pages.csv')) {
  const args = ['--policies', join(dir, 'policies'), '--report', join(dir, name), '--pages', pages];
  return spawnSync(BIN, ['replay', join(dir, 'day.jsonl'), '--out', join(dir, 'out'), ...args], { encoding: 'utf8' });
}

test('the page tells the incident, its cause with reasons, what would have been done, and how that compares with the pager', () => {
  expect(page).toMatch(/<b data-count="commands">1<\/b>/);
  expect(page).toContain('rollback pay&quot;&gt;&lt;script&gt;');
  expect(page).toMatch(/errors [0-9.]+ % against [0-9.]+ %/);
  const [, minutes] = /class="tag early" data-lead="\d+">(\d+) min before your pager/.exec(page) ?? [];
  expect(Number(minutes)).toBeGreaterThan(0);
  expect(Number(minutes)).toBeLessThanOrEqual(3);
  // The page at 09:00 is about a service in which nothing was found.
  expect(page.match(/>\s*not seen\s*</g)).toHaveLength(1);
});

test('nothing that telemetry says can run, and nothing is fetched: the policy allows the page’s own script and style alone', () => {
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toContain('\u202E');
  expect(page).not.toMatch(/ on[a-z]+=| style=|https?:|url\(|@import/);
  const textOf = (tag: string) => new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`).exec(page)![1]!;
  const hashOf = (tag: string) => `'sha256-${createHash('sha256').update(textOf(tag)).digest('base64')}'`;
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!;
  expect(policy).toContain(`default-src 'none'; style-src ${hashOf('style')}; script-src ${hashOf('script')};`);
});

test('the same day gives the same bytes', () => {
  expect(report('again.html').status).toBe(0);
  expect(readFileSync(join(dir, 'again.html'), 'utf8')).toBe(page);
});

test('the slider takes back what weaker evidence had led to', (context) => {
  if ('missing' in chromium) return skipWithout(context, chromium.missing);
  const numbersAt = (threshold: string) => {
    const profile = `--user-data-dir=${join(dir, 'profile')}`;
    const url = `file://${join(dir, 'day.html')}#threshold=${threshold}`;
    const { stdout } = spawnSync(chromium.path, ['--headless', '--no-sandbox', profile, '--dump-dom', url], {
      encoding: 'utf8',
    });
    const countOf = (name: string) => new RegExp(`<b data-count="${name}">([^<]*)</b>`).exec(stdout)?.[1];
    return { commands: countOf('commands'), seen: countOf('seen'), greyed: /class="card below"/.test(stdout) };
  };
  expect(numbersAt('0.5')).toEqual({ commands: '1', seen: '1', greyed: false });
  expect(numbersAt('1')).toEqual({ commands: '0', seen: '0', greyed: true });
});

test('pages that cannot be read are one line of cause and one of fix', () => {
  writeFileSync(join(dir, 'bad.csv'), 'timestamp,service\nyesterday,web\n');
  const { status, stderr } = report('bad.html', join(dir, 'bad.csv'));
  expect(status).toBe(2);
  expect(stderr).toMatch(/^flyball: .*bad\.csv:2: no time: yesterday\nfix: write [^\n]+\n$/);
});
