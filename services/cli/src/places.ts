import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Addresses } from '@flyball/standalone';
import { CliError } from './cli-error.ts';

/** Where Flyball keeps things when nobody says otherwise. */
export const HOME = join(homedir(), '.flyball');
/** Names the data directory of the process that was started last. */
const CURRENT = join(HOME, 'current');

/** Remembers the data directory of a running process, for commands that are told none. */
export function rememberCurrent(dir: string): void {
  mkdirSync(HOME, { recursive: true });
  writeFileSync(CURRENT, `${dir}\n`);
}

/** Forgets it again, if it is still this one. */
export function forgetCurrent(dir: string): void {
  if (currentDir() === dir) rmSync(CURRENT, { force: true });
}

/** Data directory: as told, of the process that was started last, or the default. */
export function dataDir(told: string | undefined): string {
  return told ?? process.env['FLYBALL_DATA'] ?? currentDir() ?? join(HOME, 'data');
}

function currentDir(): string | undefined {
  return existsSync(CURRENT) ? readFileSync(CURRENT, 'utf8').trim() : undefined;
}

/** Where a process listens that was started on a data directory. */
export function addressesOf(dir: string): Addresses {
  const path = join(dir, 'addresses.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Addresses;
  throw new CliError(`no Flyball has run on ${dir}`, 'start one with "flyball start", or name its --url or --data');
}

/** Token of the API: from FLYBALL_TOKEN, or from the data directory. */
export function tokenOf(dir: string): string {
  const { FLYBALL_TOKEN } = process.env;
  if (FLYBALL_TOKEN !== undefined && FLYBALL_TOKEN !== '') return FLYBALL_TOKEN;
  const path = join(dir, 'token');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}
