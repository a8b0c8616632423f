#!/usr/bin/env node
// Starts the CLI with the Node that this project pins, whatever Node the shell has (20 or newer): the sources are
// TypeScript, which only the pinned one runs. Passes arguments, signals and the exit code through.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// A server stays small: a small young generation, and a heap that has a limit, towards which it grows in small steps. Buffers count
// in it: else each 64 MiB of them cost a collection of everything, which took a third of the CPU.
const SERVER_FLAGS = [
  '--max-semi-space-size=8',
  '--max-old-space-size=384',
  '--external-memory-accounted-in-global-limit',
];

// With an arena per thread, what is freed in one is of no use to the others: a tenth of the memory, in vain.
// Large buffers get pages of their own, always: else glibc moves them into arenas once some were freed, and keeps what they leave.
if (process.argv[2] === 'start') {
  process.env.MALLOC_ARENA_MAX ??= '2';
  process.env.MALLOC_MMAP_THRESHOLD_ ??= String(128 * 1024);
}

const given = process.env.NODE_OPTIONS ?? '';
const isGiven = (flag) => given.includes(flag.split('=')[0]);
const flags = process.argv[2] === 'start' ? SERVER_FLAGS.filter((flag) => !isGiven(flag)) : [];
const hasFlags = flags.every((flag) => process.execArgv.includes(flag));
const here = dirname(realpathSync(fileURLToPath(import.meta.url)));
const main = join(here, '../src/main.ts');

if (Number(process.versions.node.split('.')[0]) >= 24) {
  const self = fileURLToPath(import.meta.url);
  // Only a fresh process takes the flags. It replaces this one, and is sent the same signals.
  if (!hasFlags && process.platform !== 'win32') {
    process.execve(process.execPath, [process.execPath, ...flags, self, ...process.argv.slice(2)], process.env);
  }
  nodeModule.enableCompileCache();
  await import(pathToFileURL(main).href);
} else {
  const pinned = findPinned();
  if (pinned === undefined) {
    process.stderr.write(
      'flyball: the pinned Node 24 is missing\nfix: run "npm rebuild node" where Flyball is installed\n',
    );
    process.exit(1);
  }
  const child = spawn(pinned, [...flags, main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
}

function findPinned() {
  try {
    const manifest = nodeModule.createRequire(import.meta.url).resolve('node/package.json');
    const path = join(dirname(manifest), 'bin/node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}
