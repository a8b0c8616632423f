import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceHash } from './source-hash.ts';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
/** Two seconds on two cores; much slower machines are waited for. */
const TIMEOUT_MS = 120_000;
const POLL_MS = 50;
/** Builds of other sources are deleted when they are this old: a process may still serve a younger one. */
const OLD_MS = 24 * 60 * 60 * 1_000;

/** How a build stands. */
export type BuildState =
  | { readonly state: 'ready'; readonly dir: string }
  | { readonly state: 'building' }
  | { readonly state: 'missing'; readonly reason: string; readonly fix: string };

/**
 * The built app, kept by the hash of its sources: in the project's `dist`, or where that may not be written in a folder of
 * the caller. It is built by a process of its own, whose memory goes with it.
 */
export class ConsoleBuild {
  readonly #otherFolder: string;
  #state: BuildState | undefined;

  /** @param otherFolder - where builds go when the project's own folder may not be written. */
  constructor(otherFolder: string) {
    this.#otherFolder = otherFolder;
  }

  /** How it stands now. The first question starts the build, if there is none yet. */
  state(): BuildState {
    this.#state ??= this.#begin();
    return this.#state;
  }

  /** How it stands when the build is over. */
  async done(): Promise<BuildState> {
    while (this.state().state === 'building') await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    return this.state();
  }

  #begin(): BuildState {
    try {
      const hash = sourceHash(PROJECT);
      const folders = [join(PROJECT, 'dist'), this.#otherFolder];
      const built = folders.map((folder) => join(folder, hash)).find((dir) => existsSync(join(dir, 'index.html')));
      if (built !== undefined) return { state: 'ready', dir: built };
      const folder = folders.find(isWritable);
      if (folder === undefined) return failed(`${folders.join(' and ')} may not be written.`);
      forgetOld(folder);
      this.#build(join(folder, hash));
      return { state: 'building' };
    } catch (error) {
      return failed(String(error));
    }
  }

  #build(dir: string): void {
    const child = spawn(process.execPath, [MAIN, dir], { stdio: ['ignore', 'ignore', 'pipe'], timeout: TIMEOUT_MS });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors = `${errors}${chunk.toString()}`.slice(-2_000)));
    child.on('error', (error) => (this.#state = failed(String(error))));
    child.on('close', (code) => {
      const isThere = existsSync(join(dir, 'index.html'));
      this.#state = code === 0 || isThere ? { state: 'ready', dir } : failed(errors.trim() || `it ended with ${code}`);
    });
  }
}

function failed(why: string): BuildState {
  const fix =
    'Run "npm ci", then "npm run console:build -- services/console/dist/try" to see what is wrong, and start again.';
  return { state: 'missing', reason: `The console could not be built: ${why}`, fix };
}

function isWritable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function forgetOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (Date.now() - statSync(path).mtimeMs > OLD_MS) rmSync(path, { recursive: true, force: true });
  }
}
