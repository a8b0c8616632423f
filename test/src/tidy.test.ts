import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { LAYERS, ROLE_LAYERS } from '../../layers.js';

// Goal: hold the house rules that a linter cannot see, or that it may silently skip. Nx drops
// its boundary rule with a mere warning when no project graph is cached (nrwl/nx#8110), so the
// dependency rule is checked here a second time, from nothing but the files.

const layers: Readonly<Record<string, readonly string[]>> = LAYERS;
const roles: Readonly<Record<string, readonly string[]>> = ROLE_LAYERS.main;
const manifests = globSync([
  ...['libs/*/package.json', 'libs/drivers/*/package.json', 'services/*/package.json', 'test/package.json'],
]);
const projects = manifests.map((path) => {
  const { name, nx } = JSON.parse(readFileSync(path, 'utf8')) as { name: string; nx: { tags: string[] } };
  const tags = nx.tags.filter((tag) => tag.startsWith('layer:')).map((tag) => tag.slice('layer:'.length));
  return { dir: dirname(path), name, tags };
});
const layerOf = new Map(projects.map((project) => [project.name, project.tags[0] ?? 'none']));
const sources = globSync([...['libs/**/src/**/*.ts', 'services/**/src/**/*.{ts,tsx}', 'test/src/**/*.ts']]).filter(
  (path) => !path.includes('node_modules'),
);

test('projects were found', () => {
  expect(projects.length).toBeGreaterThan(1);
  expect(sources.length).toBeGreaterThan(5);
});

test.each(projects)('$name has one layer and a README', ({ dir, name, tags }) => {
  expect(tags).toHaveLength(1);
  expect(Object.keys(layers)).toContain(tags[0]);
  expect(readFileSync(`${dir}/README.md`, 'utf8')).toMatch(new RegExp(`^# ${name}\n`));
});

test.each(projects)('$name imports only from below', ({ dir, name }) => {
  for (const path of globSync(`${dir}/src/**/*.{ts,tsx}`)) {
    const isRoot = path.endsWith('/main.ts');
    const isTest = path.endsWith('.test.ts');
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/(?:from|import\() ?'(@flyball\/[^'/]+)'/g)) {
      const layer = layerOf.get(name)!;
      const more = [...(isRoot ? (roles[layer] ?? []) : []), ...(isTest ? [ROLE_LAYERS.test] : [])];
      const allowed = [...(layers[layer] ?? []), ...more];
      expect(allowed, `${path} imports ${target}`).toContain(layerOf.get(target!));
    }
    expect(readFileSync(path, 'utf8'), `${path} reaches into a project`).not.toMatch(/from '@flyball\/[^']+\//);
  }
});

test.each(sources)('%s is tidy', (path) => {
  const lines = readFileSync(path, 'utf8').split('\n');
  expect(lines.length).toBeLessThanOrEqual(400);
  const forbidden = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);
  expect(lines.filter((line) => forbidden.test(line))).toEqual([]);
  expect(path).not.toMatch(/\/(utils?|common|helpers?|misc|shared)(\/|\.ts$)/);
  expect(path).toMatch(/^[a-z0-9./-]+\.tsx?$/);
});

test('no path of a machine and no registry host is committed', () => {
  const lock = readFileSync('package-lock.json', 'utf8');
  expect(lock).not.toMatch(/"resolved": "http/);
});

test('each public document is where the README says', () => {
  for (const path of ['LICENSE', 'docs/architecture.md', 'docs/errors.md', '.ci/run']) {
    expect(existsSync(path), path).toBe(true);
  }
});
