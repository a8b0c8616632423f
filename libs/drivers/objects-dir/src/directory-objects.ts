import { UnavailableError } from '@flyball/core';
import { type Objects, refuseObjectName } from '@flyball/runtime';
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TEMPORARY = '.tmp-';

/** {@link Objects} as files below a directory. */
export class DirectoryObjects implements Objects {
  readonly #dir: string;

  /** @param dir - created when the first value is stored. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  async put(name: string, value: Uint8Array): Promise<void> {
    await this.#store(name, value, rename);
  }

  async create(name: string, value: Uint8Array): Promise<boolean> {
    return this.#store(name, value, async (temporary, path) => {
      // A link is there as a whole or not at all, and unlike a rename it replaces nothing.
      const isNew = await unlessCode('EEXIST', () => link(temporary, path).then(() => true), false);
      await rm(temporary, { force: true });
      return isNew;
    });
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(name);
    return guard(name, () => unlessCode('ENOENT', async () => new Uint8Array(await readFile(path)), undefined));
  }

  async list(prefix: string): Promise<readonly string[]> {
    const names: string[] = [];
    const walk = async (folder: string): Promise<void> => {
      const entries = await unlessCode('ENOENT', () => readdir(join(this.#dir, folder), { withFileTypes: true }), []);
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

  /** Writes a file beside its place, durably, then has `place` bring it there. */
  async #store<T>(name: string, value: Uint8Array, place: (from: string, to: string) => Promise<T>): Promise<T> {
    const path = this.#pathOf(name);
    const temporary = join(dirname(path), `${TEMPORARY}${randomUUID()}`);
    return guard(name, async () => {
      await makeFolder(dirname(path));
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(value);
        await file.sync();
      } finally {
        await file.close();
      }
      const placed = await place(temporary, path);
      await syncFolder(dirname(path));
      return placed;
    }).catch(async (error: unknown) => {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    });
  }

  #pathOf(name: string): string {
    refuseObjectName(name);
    return join(this.#dir, name);
  }
}

/** Opens the store of a `file:///DIR` URL. */
export async function openDirectoryObjects(url: string): Promise<DirectoryObjects> {
  return new DirectoryObjects(fileURLToPath(url));
}

/** A folder that was made anew is durable when the one that holds it is: fsync of each above the new ones. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let above = dirname(path); above.length >= dirname(first).length; above = dirname(above)) {
    await syncFolder(above);
    if (above === dirname(above)) return;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function unlessCode<T>(code: string, work: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === code) return otherwise;
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
