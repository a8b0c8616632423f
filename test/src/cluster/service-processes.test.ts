import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ServiceProcesses } from './service-processes.ts';

// Goal: a service of `npm run cluster` that dies comes back, and one that was stopped does not. Method: the simulated fleet, which needs
// no servers.

const PLAN = { name: 'twin-1', service: 'twin', args: [] };
let dir: string;
let services: ServiceProcesses;
const revived = vi.fn();
beforeEach(() => {
  revived.mockReset();
  dir = mkdtempSync(join(tmpdir(), 'flyball-services-'));
});
afterEach(async () => {
  await services.stop();
  rmSync(dir, { recursive: true });
});

test('who is killed by somebody is started again, however often', async () => {
  services = new ServiceProcesses({}, { logDir: dir, onRevived: revived });
  const hellos = new Set([await services.start(PLAN)]);
  for (const times of [1, 2]) {
    expect(services.strike('twin-1')).toBe(true);
    await vi.waitFor(() => expect(revived).toHaveBeenCalledTimes(times), 20_000);
    hellos.add(services.hello('twin-1'));
  }
  expect(revived).toHaveBeenLastCalledWith('twin-1', { code: null, signal: 'SIGKILL' });
  expect(hellos.size).toBe(3);
});

test.each(['kill', 'stop'] as const)('who was asked to end (%s) is not started again', async (how) => {
  services = new ServiceProcesses({}, { logDir: dir, onRevived: revived });
  const hello = await services.start(PLAN);
  if (how === 'kill') await services.kill('twin-1');
  else await services.stop();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(services.hello('twin-1')).toBe(hello);
  expect(services.strike('twin-1')).toBe(false);
});

test('where nobody watches over them, the dead stay dead', async () => {
  services = new ServiceProcesses({}, { logDir: dir });
  await services.start(PLAN);
  services.strike('twin-1');
  await services.ended('twin-1');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(services.strike('twin-1')).toBe(false);
});
