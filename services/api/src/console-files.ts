import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Where the built console is, or why it is not. */
export type ConsoleState =
  | { readonly state: 'ready'; readonly dir: string }
  | { readonly state: 'building' }
  | { readonly state: 'missing'; readonly reason: string; readonly fix: string };

/** A file as it is sent. */
export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The built console, in memory: a few files, known by name, so that no path of a request ever reaches the disk. */
export class ConsoleFiles {
  readonly #files = new Map<string, ConsoleFile>();

  /** Reads a folder that a build has made: `index.html`, and `assets/`, whose names change with their content. */
  constructor(dir: string) {
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      const type = TYPES[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const path = join(entry.parentPath, entry.name);
      const bytes = readFileSync(path);
      this.#files.set(path.slice(dir.length + 1), { type, bytes, gzipped: gzipSync(bytes, { level: 9 }) });
    }
  }

  /** A file by its path below the folder. */
  file(path: string): ConsoleFile | undefined {
    return this.#files.get(path);
  }
}

/** A console that somebody has built into a folder, or not. */
export function builtConsole(dir: string): () => ConsoleState {
  if (dir !== '' && existsSync(join(dir, 'index.html'))) return () => ({ state: 'ready', dir });
  const reason =
    dir === '' ? 'This API was started without a console.' : 'The folder of the console holds no index.html.';
  const fix = 'Run "npm run console:build -- DIR", and set FLYBALL_API_CONSOLE_DIR to DIR.';
  return () => ({ state: 'missing', reason, fix });
}
