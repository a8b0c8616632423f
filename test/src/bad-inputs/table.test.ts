import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

// Goal: who reads the table of bad inputs can believe it. Method: every row names a test that there is.

const ROOT = new URL('../../../', import.meta.url);
const table = readFileSync(new URL('docs/bad-inputs.md', ROOT), 'utf8');
const rows = [...table.matchAll(/^\| ([\d, ]+) \|(.+)\|([^|]+)\|$/gm)].map(([, numbers, what, held]) => ({
  numbers: numbers!.split(',').map(Number),
  what: what!.split('|')[0]!.trim(),
  held: held!.trim(),
}));

test('all forty are in it', () => {
  const numbers = new Set(rows.flatMap((row) => row.numbers));
  expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
});

test.each(rows.filter(({ held }) => held !== '-'))('$numbers $what: $held', ({ held }) => {
  const [file = '', name = ''] = held.split(': ');
  const path = new URL(`test/src/${file}`, ROOT);
  expect(existsSync(path), file).toBe(true);
  expect(readFileSync(path, 'utf8')).toContain(name);
});
