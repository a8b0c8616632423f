import { Prng } from '@flyball/core';
import { FlyballProcess } from '@flyball/testing';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lineOf } from '../replay/recording.ts';

// Goal: a deployment that asks whether it may go on is told no about a version that fails, as soon as that is certain; yes about
// one that is well; and never yes where nobody can know. Method: the real command beside a real process and live traffic of
// three versions.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const SETTINGS = {
  FLYBALL_AGGREGATOR_WINDOW_MS: '1000',
  FLYBALL_AGGREGATOR_GRACE_MS: '500',
  FLYBALL_DETECTOR_WARMUP_WINDOWS: '4',
};
const dice = new Prng(3);

let flyball: FlyballProcess;
let traffic: NodeJS.Timeout;
/** Share of failed requests, by version. */
const versions = new Map([['v1', 0.002]]);
beforeAll(async () => {
  flyball = await FlyballProcess.start(BIN, SETTINGS);
  traffic = setInterval(() => void send(), 100);
});
afterAll(async () => {
  clearInterval(traffic);
  expect(await flyball.stop()).toBe(0);
});

async function send(): Promise<void> {
  const spans = [...versions].flatMap(([version, errorRatio]) => {
    return Array.from({ length: 10 }, () => {
      const isError = dice.chance(errorRatio);
      const about = { environment: 'prod', service: 'checkout', kind: 2, durationMs: 20 + dice.below(10) };
      return { ...about, version, endMs: Date.now(), isError };
    });
  });
  const body = lineOf(spans, dice);
  const headers = { 'content-type': 'application/json' };
  await fetch(`${flyball.addresses.otlpHttp}/v1/traces`, { method: 'POST', headers, body }).catch(() => undefined);
}

interface Answer {
  readonly verdict: string;
  readonly reason: string;
  readonly control: string;
  readonly requests: number;
  readonly waitedMs: number;
}

async function gate(...args: string[]): Promise<{ code: number | null; answer: Answer | undefined; stderr: string }> {
  const env = { ...process.env, HOME: flyball.dir };
  const child = spawn(BIN, ['gate', ...args, '--data', flyball.dir, '-o', 'json'], { env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, answer: stdout === '' ? undefined : (JSON.parse(stdout) as Answer), stderr };
}

test(
  'a version that fails is answered no, with its numbers, long before the time is over',
  { timeout: 90_000 },
  async () => {
    await expect
      .poll(async () => (await flyball.get<{ items: { state: string }[] }>('/v1/services')).items[0]?.state, {
        timeout: 30_000,
        interval: 300,
      })
      .toBe('ok');
    versions.set('v2', 0.5);
    const { code, answer } = await gate('checkout', '--version', 'v2', '--for', '60s', '--environment', 'prod');
    expect([code, answer?.verdict, answer?.control]).toEqual([3, 'fail', 'v1']);
    expect(answer!.reason).toMatch(/^v2: errors \d+\.\d % against \d+\.\d % \(\d+ of \d+ requests, evidence 10\^\d/);
    expect(answer!.waitedMs).toBeLessThan(40_000);
    versions.delete('v2');
  },
);

test('a version that is well is answered yes at the end of the time', { timeout: 60_000 }, async () => {
  versions.set('v3', 0.002);
  const { code, answer, stderr } = await gate('checkout', '--version', 'v3', '--for', '15s');
  expect([code, answer?.verdict]).toEqual([0, 'pass']);
  expect(answer!.requests).toBeGreaterThan(100);
  expect(answer!.waitedMs).toBeGreaterThanOrEqual(15_000);
  // On the way it says how it stands: on a slow machine it is sure before it says so first.
  expect(stderr).toMatch(/^(insufficient|pass) /m);
});

test('what nobody has seen is answered with "not enough to say", and a mistake with its fix', async () => {
  const unseen = await gate('checkout', '--version', 'v9', '--for', '1s');
  expect([unseen.code, unseen.answer?.reason]).toEqual([4, expect.stringMatching(/^v9 has had no requests; versions/)]);
  const unknown = await gate('nobody', '--version', 'v1', '--for', '1s');
  expect([unknown.code, unknown.answer?.reason]).toEqual([4, 'nothing is known of nobody']);
  const serving = await gate('checkout', '--version', 'v1', '--for', '1s');
  expect([serving.code, serving.answer?.verdict]).toEqual([4, 'insufficient']);
  expect(await gate('checkout', '--version', 'v1', '--for', 'soon')).toMatchObject({
    code: 2,
    stderr: 'flyball: not a time span: soon\nfix: write it as 90s, 30m, 1h or 2d\n',
  });
});
