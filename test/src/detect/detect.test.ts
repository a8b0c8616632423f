import { Prng } from '@flyball/core';
import { newGauge, scoreGauge } from '@flyball/stats';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';

// Goal: somebody who pipes a series through `flyball detect` gets one answer a row, at once, the same as a service's
// gauge gets, with their times untouched; and a row that cannot be read is named. Method: the real command.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const HEADER = 'timestamp,value,expected,score,alert';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-detect-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const detect = (input: string, ...more: string[]) => spawnSync(BIN, ['detect', ...more], { input, encoding: 'utf8' });
const linesOf = (text: string) => text.split('\n').slice(0, -1);

const START_MS = Date.UTC(2026, 0, 5);
const timeOf = (row: number) => new Date(START_MS + row * 300_000).toISOString();

/** Noise with one spike, in row 600. */
function seriesOf(rows: number): number[] {
  const dice = new Prng(31);
  return Array.from({ length: rows }, (_, row) => 100 + dice.normal() + (row === 600 ? 30 : 0));
}

test('a file, and the same on standard input, gives the same bytes: those of the gauge itself', () => {
  const values = seriesOf(800);
  const text = `timestamp,value\n${values.map((value, row) => `${timeOf(row)},${value}\n`).join('')}`;
  const file = join(dir, 'cpu.csv');
  writeFileSync(file, text);
  const answers = [detect('', file), detect(text), detect(text, '-')].map(({ stdout, status }) => [status, stdout]);
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
  const [header, ...lines] = linesOf(answers[0]![1] as string);
  expect(header).toBe(HEADER);
  expect(lines).toHaveLength(800);
  const gauge = newGauge();
  for (const [row, line] of lines.entries()) {
    const [time, value, expected, score, alert] = line.split(',');
    const scored = scoreGauge(gauge, { atMs: START_MS + row * 300_000, value: values[row]! });
    expect([time, value, score]).toEqual([timeOf(row), String(values[row]), scored.score.toFixed(6)]);
    expect(alert).toBe(Number(score) >= 0.5 ? '1' : '0');
    if (row > 0) expect(Math.abs(Number(expected) - scored.expected!)).toBeLessThan(0.001);
  }
  expect(lines[600]).toMatch(/,1$/);
});

test('each row is answered before the next is written', async () => {
  const child = spawn(BIN, ['detect'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.write('timestamp,value\n');
  expect((await answers.next()).value).toBe(HEADER);
  for (let row = 0; row < 5; row += 1) {
    child.stdin.write(`${timeOf(row)},${row}\n`);
    expect((await answers.next()).value).toMatch(new RegExp(`^${timeOf(row)},${row},`));
  }
  child.stdin.end(`${timeOf(5)},5`);
  expect((await answers.next()).value).toMatch(new RegExp(`^${timeOf(5)},5,`));
  expect((await answers.next()).done).toBe(true);
});

test('quoting, other names, CRLF, a BOM and further columns: times and values come back as they were', () => {
  const quoted = '\uFEFF"TimeStamp","Value","Label"\r\n"2018-04-25T00:00:00Z","0.50","1"\r\n';
  expect(detect(quoted).stdout).toBe(`${HEADER}\n"2018-04-25T00:00:00Z","0.50",,0.000000,0\n`);
  const named = 'value,host,timestamp\n7,"a,b",1524614400\n';
  expect(detect(named).stdout).toBe(`${HEADER}\n1524614400,7,,0.000000,0\n`);
  const bare = '2018-04-25 00:00:00,1\n2018-04-25 00:01:00,2';
  expect(detect(bare).stdout).toBe(
    `${HEADER}\n2018-04-25 00:00:00,1,,0.000000,0\n2018-04-25 00:01:00,2,1,0.000000,0\n`,
  );
  expect(detect('').stdout).toBe(`${HEADER}\n`);
});

test('a blank value scores 0 and is no alert, whatever the threshold, and is told what was expected', () => {
  const answer = detect('timestamp,value\n1,5\n2,\n3, \n4,NaN\n5,5\n', '--threshold', '0');
  expect(linesOf(answer.stdout).slice(1)).toEqual([
    ...['1,5,,0.000000,1', '2,,5,0.000000,0', '3, ,5,0.000000,0', '4,NaN,5,0.000000,0', '5,5,5,0.000000,1'],
  ]);
});

test('a higher threshold means fewer alerts, never other scores', () => {
  const text = seriesOf(800)
    .map((value, row) => `${timeOf(row)},${value}\n`)
    .join('');
  const [low, high] = ['0.3', '0.6'].map((threshold) => linesOf(detect(text, '--threshold', threshold).stdout));
  const alertsOf = (lines: string[]) => lines.filter((line) => line.endsWith(',1'));
  expect(alertsOf(high!).length).toBeGreaterThan(0);
  expect(alertsOf(low!).length).toBeGreaterThan(alertsOf(high!).length);
  const scoresOf = (lines: string[]) => lines.map((line) => line.slice(0, -2));
  expect(scoresOf(high!)).toEqual(scoresOf(low!));
});

test.each([
  ['t,v\n1,2\n3,four\n', 'line 3 cannot be read: "four" is no finite number', '1,2,,0.000000,0\n'],
  ['1,2\nyesterday,3\n', 'line 2 cannot be read: "yesterday" is no time', '1,2,,0.000000,0\n'],
  ['garbage,5\n', 'line 1 cannot be read: "garbage" is no time', ''],
  ['1,2\n3\n', 'line 2 cannot be read: a timestamp and a value are needed', '1,2,,0.000000,0\n'],
  ['1,1e999\n', 'line 1 cannot be read: "1e999" is no finite number', ''],
])('%j is refused by its line, and what was before is answered', (text, message, before) => {
  const { stdout, stderr, status } = detect(text);
  expect(status).toBe(1);
  expect(stderr).toMatch(new RegExp(`^flyball: ${message.replaceAll('"', '\\"')}\nfix: give rows`));
  expect(stdout).toBe(`${HEADER}\n${before}`);
});

test('what cannot be read, and what is no threshold, is said in one line with its fix', () => {
  const missing = detect('', join(dir, 'nowhere.csv'));
  expect([missing.status, missing.stdout]).toEqual([1, '']);
  expect(missing.stderr).toContain('nowhere.csv cannot be read: ENOENT');
  expect(detect('', '--threshold', '2').status).toBe(2);
  expect(detect('', '--help').stdout).toContain('flyball detect cpu.csv');
});
