import { UnavailableError } from '@flyball/core';
import {
  fileErrorCode,
  type Files,
  type Objects,
  type ObjectsOptions,
  refuseObjectName,
  storeWhole,
  syncFolder,
} from '@flyball/runtime';
import { randomUUID } from 'node:crypto';
import * as nodeFiles from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const TEMPORARY = '.tmp-';

/** {@link Objects} as files below a directory. */
export class DirectoryObjects implements Objects {
  readonly #dir: string;
  readonly #files: Files;
  readonly #folders = new Map<string, Promise<void>>();

  /** @param dir - created when the first value is stored. */
  constructor(dir: string, files: Files = nodeFiles) {
    this.#dir = resolve(dir);
    this.#files = files;
  }

  async put(name: string, value: Uint8Array): Promise<void> {
    await this.#store(name, value, (from, to) => this.#files.rename(from, to));
  }

  async create(name: string, value: Uint8Array): Promise<boolean> {
    return this.#store(name, value, async (temporary, path) => {
      // A link is there as a whole or not at all, and unlike a rename it replaces nothing.
      const isNew = await unlessCode('EEXIST', () => this.#files.link(temporary, path).then(() => true), false);
      await this.#files.rm(temporary, { force: true });
      return isNew;
    });
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(name);
    return guard(name, () =>
      unlessCode('ENOENT', async () => new Uint8Array(await this.#files.readFile(path)), undefined),
    );
  }

  async list(prefix: string): Promise<readonly string[]> {
    const names: string[] = [];
    const walk = async (folder: string): Promise<void> => {
      const path = join(this.#dir, folder);
      const entries = await unlessCode('ENOENT', () => this.#files.readdir(path, { withFileTypes: true }), []);
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
    await guard(name, () => this.#files.rm(path, { force: true }));
  }

  async #store<T>(name: string, value: Uint8Array, place: (from: string, to: string) => Promise<T>): Promise<T> {
    const path = this.#pathOf(name);
    const folder = dirname(path);
    const temporary = join(folder, `${TEMPORARY}${randomUUID()}`);
    const store = async () => {
      await this.#makeFolder(folder);
      return storeWhole(this.#files, { folder, path, temporary, bytes: value }, place);
    };
    return guard(name, async () => {
      try {
        return await store();
      } catch (error) {
        if (fileErrorCode(error) !== 'ENOENT') throw error;
        // Somebody has moved it away, as people may: it, and what is above it, is made anew.
        this.#folders.clear();
        return store();
      }
    });
  }

  /**
   * Makes a folder, durably: whoever is told that a value is stored must find it after a power cut, also when somebody else had
   * just made its folder. Known folders cost nothing.
   */
  #makeFolder(folder: string): Promise<void> {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    const making = this.#makeFolderNow(folder).catch((error: unknown) => {
      this.#folders.delete(folder);
      throw error;
    });
    this.#folders.set(folder, making);
    return making;
  }

  async #makeFolderNow(folder: string): Promise<void> {
    const first = (await this.#files.mkdir(folder, { recursive: true })) ?? folder;
    const top = this.#dir.length < dirname(first).length ? this.#dir : dirname(first);
    for (let above = folder; above.length > top.length;) {
      above = dirname(above);
      await syncFolder(this.#files, above);
    }
  }

  #pathOf(name: string): string {
    refuseObjectName(name);
    return join(this.#dir, name);
  }
}

/** Opens the store of a `file:///DIR` URL. */
export async function openDirectoryObjects(
  url: string,
  _env: unknown,
  { files }: ObjectsOptions = {},
): Promise<DirectoryObjects> {
  return new DirectoryObjects(fileURLToPath(url), files);
}

async function unlessCode<T>(code: string, work: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (fileErrorCode(error) === code) return otherwise;
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
