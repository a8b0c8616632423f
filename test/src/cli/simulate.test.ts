import type { Incident } from '@flyball/contracts';
import { Prng } from '@flyball/core';
import { FlyballProcess } from '@flyball/testing';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lineOf } from '../replay/recording.ts';

// Goal: before somebody changes a policy they see what it would have done to an incident that they remember: the same where it
// is the same, another where a threshold is, and nothing made up. Method: a real process lives through a faulty release under
// one policy; the real command decides over it again.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const SHIPPED = new URL('../../../services/planner/policies/rollback-failing-release.yaml', import.meta.url).pathname;
const POLICY = readFileSync(SHIPPED, 'utf8')
  .replace('demo*', 'prod')
  .replace('freshnessSeconds: 10', 'freshnessSeconds: 30');
const MARGIN = 'cause.observed - cause.expected >= 0.05';
const dice = new Prng(3);

let dir: string;
let flyball: FlyballProcess;
let traffic: NodeJS.Timeout;
let hasCanary = false;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-simulate-'));
  mkdirSync(join(dir, 'policies'));
  expect(POLICY).toContain(MARGIN);
  writeFileSync(join(dir, 'policies', 'release.yaml'), POLICY);
  writeFileSync(join(dir, 'same.yaml'), POLICY);
  writeFileSync(join(dir, 'stricter.yaml'), POLICY.replace(MARGIN, 'cause.observed - cause.expected >= 0.95'));
  flyball = await FlyballProcess.start(BIN, {
    FLYBALL_AGGREGATOR_WINDOW_MS: '1000',
    FLYBALL_AGGREGATOR_GRACE_MS: '500',
    FLYBALL_DETECTOR_WARMUP_WINDOWS: '4',
    FLYBALL_STANDALONE_TWIN_URL: 'http://127.0.0.1:9',
    FLYBALL_STANDALONE_POLICIES_DIR: join(dir, 'policies'),
  });
  traffic = setInterval(() => void send(), 100);
});
afterAll(async () => {
  clearInterval(traffic);
  expect(await flyball.stop()).toBe(0);
  rmSync(dir, { recursive: true, force: true });
});

async function send(): Promise<void> {
  const spans = Array.from({ length: 20 }, (_, index) => {
    const isCanary = hasCanary && index < 5;
    const about = { environment: 'prod', service: 'checkout', kind: 2, durationMs: 20 + dice.below(10) };
    const version = isCanary ? 'v2' : 'v1';
    return { ...about, version, endMs: Date.now(), isError: dice.chance(isCanary ? 0.5 : 0.002) };
  });
  await fetch(`${flyball.addresses.otlpHttp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: lineOf(spans, dice),
  }).catch(() => undefined);
}

async function say(method: string, path: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${flyball.token}`, 'content-type': 'application/json' };
  const response = await fetch(`${flyball.addresses.api}${path}`, { method, headers, body: JSON.stringify(body) });
  expect(response.status).toBeLessThan(300);
}

const simulate = (...args: string[]) => {
  const env = { ...process.env, HOME: flyball.dir };
  return spawnSync(BIN, ['simulate', ...args, '--data', flyball.dir], { encoding: 'utf8', env });
};
interface Course {
  readonly verdicts: Record<string, number>;
  readonly commands: readonly { readonly action: string }[];
  readonly refused: Record<string, number>;
}
interface Told {
  readonly recorded: Course;
  readonly simulated: Course;
  readonly firstDifference: { readonly at: string; readonly recorded: string; readonly simulated: string } | null;
}
const ROLLBACK = [{ at: expect.any(String), action: 'rollback checkout v2 -> v1' }];
let incident: Incident;

test('the same policy would have done the same', { timeout: 120_000 }, async () => {
  const every = { timeout: 60_000, interval: 300 };
  await expect
    .poll(async () => (await flyball.get<{ items: { state: string }[] }>('/v1/services')).items[0]?.state, every)
    .toBe('ok');
  const target = { driver: 'twin', name: 'checkout' };
  await say('PUT', '/v1/bindings', { environment: 'prod', service: 'checkout', target });
  await say('DELETE', '/v1/killswitch', {});
  hasCanary = true;
  const acted = async () => {
    const { items } = await flyball.get<{ items: Incident[] }>('/v1/incidents');
    return items.find(({ commandIds }) => commandIds.length > 0);
  };
  await expect.poll(acted, every).toBeDefined();
  incident = (await acted())!;
  const { status, stdout } = simulate(incident.incidentId, '--policy', join(dir, 'same.yaml'), '-o', 'json');
  expect(status).toBe(0);
  const told = JSON.parse(stdout) as Told;
  expect([told.recorded.commands, told.simulated.commands]).toEqual([ROLLBACK, ROLLBACK]);
  expect(told.simulated.verdicts['acted']).toBe(1);
});

test('a higher threshold would have held it back, and the gate says so with its numbers', () => {
  const args = [incident.incidentId, '--policy', join(dir, 'stricter.yaml')];
  const told = JSON.parse(simulate(...args, '-o', 'json').stdout) as Told;
  expect([told.recorded.commands, told.simulated.commands]).toEqual([ROLLBACK, []]);
  expect(told.firstDifference).toEqual({
    at: expect.stringMatching(/Z$/),
    recorded: expect.stringMatching(/^acted: rollback checkout v2 -> v1/),
    simulated: expect.stringMatching(
      /^declined: .*policy_condition \(does not hold: worse-by-a-margin \(errors 0\.\d+/,
    ),
  });
  const { stdout } = simulate(...args);
  expect(stdout).toMatch(
    /As it was [^]*command +\S+ rollback[^]*With these policies [^]*commands +none[^]*First difference/,
  );
});

test('"assume ready" takes away what only a first day lacks: automation, and a target', async () => {
  await say('PUT', '/v1/killswitch', { reason: 'lunch' });
  const { status, stdout } = simulate(
    incident.incidentId,
    '--policy',
    join(dir, 'same.yaml'),
    '--assume-ready',
    '-o',
    'json',
  );
  expect(status).toBe(0);
  expect((JSON.parse(stdout) as Told).simulated.commands).toEqual(ROLLBACK);
});

test('what is not there is one line of cause and one of fix', () => {
  const unknown = simulate('inc-none', '--policy', join(dir, 'same.yaml'));
  expect([unknown.status, unknown.stderr]).toEqual([
    1,
    expect.stringMatching(/^flyball: NOT_FOUND[^\n]+\nfix: [^\n]+\n$/),
  ]);
  const nowhere = simulate(incident.incidentId, '--policy', join(dir, 'nowhere.yaml'));
  expect([nowhere.status, nowhere.stderr]).toEqual([
    2,
    expect.stringMatching(/^flyball: no file [^\n]+\nfix: [^\n]+\n$/),
  ]);
});
