import { RejectedError, UnavailableError } from '@flyball/core';
import type { Objects } from '@flyball/runtime';
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = /^[\w.:-]+(\/[\w.:-]+)*$/;
const TEMPORARY = '.tmp-';

/** {@link Objects} as files below a directory. */
export class DirectoryObjects implements Objects {
  readonly #dir: string;

  /** @param dir - created when the first value is stored. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  async put(name: string, value: Uint8Array): Promise<void> {
    const path = this.#pathOf(name);
    const temporary = join(dirname(path), `${TEMPORARY}${randomUUID()}`);
    await guard(name, async () => {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(value);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      await syncFolder(dirname(path));
    }).catch(async (error: unknown) => {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    });
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(name);
    return guard(name, () => unlessMissing(async () => new Uint8Array(await readFile(path)), undefined));
  }

  async list(prefix: string): Promise<readonly string[]> {
    const names: string[] = [];
    const walk = async (folder: string): Promise<void> => {
      const entries = await unlessMissing(() => readdir(join(this.#dir, folder), { withFileTypes: true }), []);
      for (const entry of entries) {
        const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
        const mayHold = entry.isDirectory() && (name.startsWith(prefix) || prefix.startsWith(`${name}/`));
        if (mayHold) await walk(name);
        else if (entry.isFile() && name.startsWith(prefix) && !entry.name.startsWith(TEMPORARY)) names.push(name);
      }
    };
    await guard(prefix, () => walk(''));
    return names.sort();
  }

  async delete(name: string): Promise<void> {
    const path = this.#pathOf(name);
    await guard(name, () => rm(path, { force: true }));
  }

  #pathOf(name: string): string {
    const isPlain = NAME.test(name) && !name.split('/').some((part) => part === '.' || part === '..');
    if (!isPlain) throw new RejectedError('OBJECT_NAME', 'not a name of an object', { detail: { name } });
    return join(this.#dir, name);
  }
}

/** Opens the store of a `file:///DIR` URL. */
export async function openDirectoryObjects(url: string): Promise<DirectoryObjects> {
  return new DirectoryObjects(fileURLToPath(url));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function unlessMissing<T>(work: () => Promise<T>, missing: T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return missing;
    throw error;
  }
}

async function guard<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new UnavailableError('OBJECTS_UNAVAILABLE', 'the object store failed', { cause, detail: { name } });
  }
}
