import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// Goal: nobody takes a mistyped command for a run in which everything held.

function run(main: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path(main), ...args], { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}
const path = (main: string) => fileURLToPath(new URL(main, import.meta.url));

test.each([
  ['./chaos/main.ts', '--scenario', 'control', '--seed', 'x'],
  ['./sim/main.ts', '1', '0'],
  ['./cluster/main.ts', '--brokers', '2'],
  ['./bench/main.ts', 'scaner'],
  ['./eval/main.ts', 'rca', 'day.jsonl'],
])('%s %s %s ends with 2, and says why', (main, ...args) => {
  const { status, said } = run(main, ...args);
  expect(status, said).toBe(2);
  expect(said).toMatch(/^error: /);
  expect(said).toContain('Usage: npm run');
});

test('help is no error', () => {
  const { status, said } = run('./sim/main.ts', '--help');
  expect(status, said).toBe(0);
  expect(said).toContain('Usage: npm run sim --');
});
