import { AggregatorConfig } from '@flyball/aggregator';
import { type LaneHealth, readServiceSettings, StuckWatch } from '@flyball/host';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

// Goal: an operator gets the settings that they wrote, or is told of every mistake before anything runs; a process that is
// wedged does not stay. Method: examples, and a service's own main.

const MAIN = new URL('../../../services/aggregator/src/main.ts', import.meta.url).pathname;
const URLS = ['--log-url=kafka://127.0.0.1:1', '--objects-url=file:///tmp/nowhere'];
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-settings-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const fileOf = (text: string) => {
  const path = join(dir, 'flyball.yaml');
  writeFileSync(path, text);
  return path;
};
const settingsOf = (args: readonly string[], env: Record<string, string> = {}) =>
  readServiceSettings('aggregator', AggregatorConfig, { env, args: [...URLS, ...args] });

describe('settings of a service', () => {
  test('a flag wins over the environment, that over the file, that over the default', () => {
    const file = `--config=${fileOf('aggregator: { windowMs: 2000, graceMs: 2000, settleMs: 2000 }\nhost: { lanes: 4 }')}`;
    const env = { FLYBALL_AGGREGATOR_WINDOW_MS: '3000', FLYBALL_AGGREGATOR_GRACE_MS: '3000', FLYBALL_HOST_LANES: '6' };
    const { host, service } = settingsOf([file, '--window-ms=4000'], env);
    expect(service).toMatchObject({ windowMs: 4_000, graceMs: 3_000, settleMs: 2_000, stepMs: 1_000 });
    expect(host).toMatchObject({ lanes: 6, logUrl: 'kafka://127.0.0.1:1', rawPartitions: 12 });
  });

  test('one file may hold the settings of all services', () => {
    const file = fileOf('planner: { recoverWindows: 7 }\naggregator: { windowMs: 2000 }');
    expect(settingsOf([`--config=${file}`]).service.windowMs).toBe(2_000);
  });

  test.each([
    ['an unknown flag', ['--windowms=1000']],
    ['a flag without a value', ['--window-ms']],
    ['a value out of range', ['--window-ms=1']],
    ['an unknown setting in the file', ['--config=FILE']],
    ['a file that is not there', ['--config=/nowhere/flyball.yaml']],
  ])('%s is refused', (_name, args) => {
    const file = fileOf('aggregator: { windowMs: 2000, windos: 1 }');
    const given = args.map((arg) => arg.replace('FILE', file));
    expect(() => settingsOf(given)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', kind: 'rejected' }));
  });

  test('a service prints what would be in force, and says what is wrong with exit code 78', () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: {} });
    const printed = run('config', 'print', ...URLS, '--window-ms=2000');
    expect(printed).toMatchObject({ status: 0, stdout: expect.stringContaining('windowMs: 2000') });
    expect(run('config', 'validate', ...URLS)).toMatchObject({ status: 0, stdout: '' });
    const wrong = run('config', 'validate', ...URLS, '--window-ms=1', '--grace-ms=-1');
    expect(wrong.status).toBe(78);
    expect(wrong.stderr).toMatch(/windowMs.*graceMs/s);
    expect(run('--log-url=mailto:x', '--objects-url=file:///tmp/x')).toMatchObject({
      status: 78,
      stderr: expect.stringMatching(/no driver for mailto:/),
    });
  });
});

describe('a process whose lanes do not reach the log', () => {
  const lane = (state: LaneHealth['state'], code: string): LaneHealth => {
    return { lane: 'l', state, code, hint: '', offset: 0, lag: 0, lagSeconds: 0, isUnclean: false, isAhead: false };
  };

  test.each([
    ['goes after a while', [lane('failing', 'LOG_UNAVAILABLE'), lane('failing', 'LOG_TIMEOUT')], true],
    ['stays while one of them does', [lane('failing', 'LOG_UNAVAILABLE'), lane('running', '')], false],
    ['stays when they wait for a person', [lane('failing', 'LANE_STATE_LOST')], false],
    ['stays when it has none', [], false],
  ])('%s', async (_name, lanes, goes) => {
    let nowMs = 0;
    const onStuck = vi.fn();
    const watch = new StuckWatch({ stuckMs: 60_000, lanes: async () => lanes, onStuck, monotonicMs: () => nowMs });
    for (nowMs = 0; nowMs < 59_000; nowMs += 5_000) await watch.look();
    expect(onStuck).not.toHaveBeenCalled();
    nowMs = 61_000;
    await watch.look();
    expect(onStuck).toHaveBeenCalledTimes(goes ? 1 : 0);
  });
});
