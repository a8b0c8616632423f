import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, hasCommand } from './native-process.ts';
import type { MissingPart } from './real-part.ts';

/** A server that `go install` builds. */
export interface GoServer {
  /** Of its binary. */
  readonly name: string;
  readonly version: string;
  /** What is installed, without its version. */
  readonly module: string;
}

/** Path of the binary of a server, which is built at a low priority when it is not there: some minutes. Else what is missing. */
export function goBinary({ name, version, module }: GoServer): string | MissingPart {
  const dir = join(CACHE, 'bin', `${name}-${version}`);
  const path = join(dir, name);
  if (existsSync(path)) return path;
  const source = `${module}@v${version}`;
  const hint = `install Go 1.25 or newer, then: GOBIN=${dir} go install ${source}`;
  if (!hasCommand('go')) return { missing: hint };
  const env = { ...process.env, GOBIN: dir };
  const args = ['-n', '10', 'go', 'install', '-p', '1', source];
  const { status, stderr } = spawnSync('nice', args, { env, encoding: 'utf8' });
  return status === 0 ? path : { missing: `${hint} (it failed: ${stderr.slice(-300)})` };
}
