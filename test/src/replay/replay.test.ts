import { Prng } from '@flyball/core';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Count, countsOf, lineOf, type RecordedSpan } from './recording.ts';

// Goal: what somebody recorded is counted right, told the same way every time, and never acted upon. Method: the real
// command over made-up recordings, and a count of the same spans that shares no code with it.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const POLICIES = new URL('../../../services/planner/policies', import.meta.url).pathname;
const START_MS = Date.UTC(2026, 0, 5, 9, 0, 3);
const DEFAULTS = { windowMs: 10_000, graceMs: 10_000, earlyMs: 60_000 };
/** More windows than a service's normal is learned from. */
const LEARNING_MS = 400_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-replay-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const replay = (file: string, out: string, ...more: string[]) =>
  spawnSync(BIN, ['replay', file, '--windows', '--out', join(dir, out), ...more], { encoding: 'utf8' });
const bytesOf = (out: string, name: string) => readFileSync(join(dir, out, `${name}.jsonl`), 'utf8');
const rowsOf = <Row>(out: string, name: string) =>
  bytesOf(out, name)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);

interface WindowRow {
  kind: string;
  environment: string;
  service: string;
  startMs: number;
  spans: number;
  lateSpans: number;
  earlySpans: number;
  series: { view: string; count: number; errors: number }[];
}

/** Two environments whose clocks are years apart, several services, holes, spans that came late and from the future. */
function wildRecording(seed: number): RecordedSpan[][] {
  const dice = new Prng(seed);
  const clocks: Record<string, number> = { prod: START_MS, staging: START_MS - 40_000_000_000 };
  return Array.from({ length: 400 }, () => {
    const line: RecordedSpan[] = [];
    for (const environment of ['prod', 'staging']) {
      clocks[environment]! += dice.chance(0.01) ? 90_000 : dice.below(2_000);
      const spans = dice.below(6);
      for (let index = 0; index < spans; index += 1) {
        const shiftMs = dice.chance(0.05)
          ? -30_000 - dice.below(60_000)
          : dice.chance(0.03)
            ? 70_000
            : dice.below(5_000);
        line.push({
          environment,
          service: dice.pick(['web', 'cart', 'mail']),
          version: 'v1',
          endMs: clocks[environment]! + shiftMs,
          durationMs: 1 + dice.below(500),
          kind: dice.pick([1, 2, 2, 3]),
          isError: dice.chance(0.1),
        });
      }
    }
    return line;
  }).filter((line) => line.length > 0);
}

test('every window counts what the recording holds, late and early spans are named, and twice gives the same bytes', () => {
  const lines = wildRecording(11);
  const dice = new Prng(12);
  const text = `${lines.map((line) => lineOf(line, dice)).join('\n')}\n`;
  writeFileSync(join(dir, 'day.jsonl'), text);
  writeFileSync(join(dir, 'day.jsonl.gz'), gzipSync(text));
  const first = replay(join(dir, 'day.jsonl'), 'a');
  expect(first).toMatchObject({ status: 0, stderr: '' });
  expect(replay(join(dir, 'day.jsonl.gz'), 'b').status).toBe(0);
  for (const name of ['windows', 'signals', 'incidents', 'commands'])
    expect(bytesOf('b', name)).toBe(bytesOf('a', name));

  const expected = countsOf(lines, DEFAULTS);
  const found = new Map<string, Count>();
  let [late, early] = [0, 0];
  const rows = rowsOf<WindowRow>('a', 'windows').filter(({ kind }) => kind === 'traces');
  for (const { environment, service, startMs, spans, lateSpans, earlySpans, series } of rows) {
    late += lateSpans;
    early += earlySpans;
    const all = series.find(({ view }) => view === 'service');
    if (spans > 0)
      found.set(`${environment} ${service} ${startMs}`, { spans, requests: all?.count ?? 0, errors: all?.errors ?? 0 });
  }
  expect([late, early]).toEqual([expected.late, expected.early]);
  expect(found).toEqual(expected.windows);
  expect(Math.min(expected.late, expected.early)).toBeGreaterThan(10);
  const total = lines.flat().length;
  expect(JSON.parse(first.stdout)).toMatchObject({ lines: lines.length, spans: total, environments: 2 });
});

test('a faulty release in a recording is decided upon, once, and nothing is carried out', () => {
  const dice = new Prng(5);
  const lines: RecordedSpan[][] = [];
  for (let atMs = START_MS; atMs < START_MS + LEARNING_MS + 200_000; atMs += 1_000) {
    const hasCanary = atMs > START_MS + LEARNING_MS;
    lines.push(
      Array.from({ length: 8 }, (_, index) => {
        const isCanary = hasCanary && index < 3;
        const about = { environment: 'prod', service: 'checkout', kind: 2, durationMs: 20 + dice.below(20) };
        return {
          ...about,
          version: isCanary ? 'v2' : 'v1',
          endMs: atMs + index,
          isError: dice.chance(isCanary ? 0.4 : 0.002),
        };
      }),
    );
  }
  mkdirSync(join(dir, 'policies'));
  const shipped = readFileSync(`${POLICIES}/rollback-failing-release.yaml`, 'utf8');
  const forProduction = shipped.replace('demo*', 'prod').replace('freshnessSeconds: 10', 'freshnessSeconds: 30');
  writeFileSync(join(dir, 'policies', 'release.yaml'), forProduction);
  const file = join(dir, 'release.jsonl');
  writeFileSync(file, lines.map((line) => lineOf(line, dice)).join('\n'));
  expect(replay(file, 'out', '--policies', join(dir, 'policies'))).toMatchObject({ status: 0 });
  const commands = rowsOf<{ id: string; action: object; at: string }>('out', 'commands');
  expect(commands).toMatchObject([{ action: { type: 'rollback', fromVersion: 'v2', toVersion: 'v1' } }]);
  expect(Date.parse(commands[0]!.at)).toBeGreaterThan(START_MS + LEARNING_MS);
  expect(Date.parse(commands[0]!.at)).toBeLessThan(START_MS + LEARNING_MS + 120_000);
  const incidents = rowsOf<{ timeline: { kind: string; text: string }[] }>('out', 'incidents');
  const outcomes = incidents.at(-1)!.timeline.filter(({ kind }) => kind === 'outcome');
  expect(outcomes.map(({ text }) => text)).toEqual([expect.stringContaining(`${commands[0]!.id} rejected (replay)`)]);
});

test('an objective in the folder of policies is what failures and slow requests of a recording are judged by', () => {
  const dice = new Prng(6);
  const lines: RecordedSpan[][] = [];
  for (let atMs = START_MS; atMs < START_MS + 1_200_000; atMs += 1_000) {
    lines.push(
      Array.from({ length: 8 }, (_, index) => {
        const about = { environment: 'prod', service: 'checkout', kind: 2, version: 'v1', endMs: atMs + index };
        return { ...about, durationMs: dice.chance(0.05) ? 400 : 20, isError: dice.chance(0.03) };
      }),
    );
  }
  const file = join(dir, 'day.jsonl');
  writeFileSync(file, lines.map((line) => lineOf(line, dice)).join('\n'));
  mkdirSync(join(dir, 'slos'));
  const slo = (spec: string) =>
    `kind: ServiceLevelObjective\nmetadata: { name: s }\nspec: { environment: prod, service: checkout, ${spec} }\n`;
  writeFileSync(join(dir, 'slos', 'errors.yaml'), slo('objectiveRatio: 0.999'));
  writeFileSync(join(dir, 'slos', 'slow.yaml'), slo('objectiveRatio: 0.9975, sli: latency, thresholdMs: 300'));
  expect(replay(file, 'without')).toMatchObject({ status: 0 });
  expect(replay(file, 'with', '--policies', join(dir, 'slos'))).toMatchObject({ status: 0 });
  const burns = (out: string) => rowsOf<{ series: string }>(out, 'signals').map(({ series }) => series);
  expect(burns('without').filter((series) => series.startsWith('burn'))).toEqual([]);
  expect(burns('with')).toEqual(expect.arrayContaining(['burn fast', 'burn latency fast']));
  const { causes } = rowsOf<{ causes: { reasons: string[] }[] }>('with', 'incidents').at(-1)!;
  const reasons = causes.flatMap((cause) => cause.reasons).join('\n');
  expect(reasons).toMatch(/burn fast \d+\.\d times as fast as its budget allows, 14\.4 alarms .*99\.9 % without error/);
  expect(reasons).toMatch(/objective 99\.75 % within 300 ms over 30 d/);
});

test.each([
  ['no such file', 'missing.jsonl', undefined, /^flyball: no file/],
  ['a file of no JSON', 'torn.jsonl', '{"resourceSp', /torn.jsonl:1 is left out: [^\n]+\nflyball: no line of/],
])('%s is one line of cause and one of fix', (_name, file, text, message) => {
  if (text !== undefined) writeFileSync(join(dir, file), text);
  expect(replay(join(dir, file), 'out')).toMatchObject({ status: 1, stderr: expect.stringMatching(message) });
});
