import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { type Target, targetsOf } from '../deploy/dockerfile.ts';

// Goal: what the Dockerfile says builds, and what it builds starts. Method: no engine runs here, so the COPY lines of each target
// fill an empty folder, its RUN lines run there, and the entry point is asked for its settings. What an engine adds to that
// (users, mounts, the base image) is not shown here.

const root = fileURLToPath(new URL('../../../', import.meta.url));
const targets = targetsOf(readFileSync(join(root, 'deploy/Dockerfile'), 'utf8'));
const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

/** Copies what git knows of a path: the context of a build leaves the rest out. */
function copy(from: string, to: string): void {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', from], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of files.split('\n').filter((each) => each !== '')) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(root, file), join(to, file));
  }
}

function build({ instructions }: Target): string {
  const dir = mkdtempSync(join(tmpdir(), 'flyball-image-'));
  dirs.push(dir);
  for (const { word, text } of instructions) {
    if (word === 'COPY') for (const from of text.split(' ').slice(0, -1)) copy(from, dir);
    // Folders of the image itself are not this machine's to make.
    if (word === 'RUN') execFileSync('/bin/sh', ['-c', text.split(' && ')[0]!], { cwd: dir, stdio: 'pipe' });
  }
  return dir;
}

const SETTINGS = join(root, 'deploy/compose/flyball.yaml');
const images = targets.filter(({ name }) => name !== 'base');

test.each(images.map((target) => [target.name, target] as const))(
  '%s builds in an empty folder, and starts',
  (name, target) => {
    const dir = build(target);
    const entry = JSON.parse(target.instructions.findLast(({ word }) => word === 'ENTRYPOINT')!.text) as string[];
    const args = name === 'cli' ? ['--help'] : ['config', 'print', `--config=${SETTINGS}`];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...entry.slice(1), ...args], {
      cwd: dir,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(name === 'cli' ? 'topics' : 'kafka://kafka:9092');
  },
);
