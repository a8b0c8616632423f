import { type Objects, refuseObjectName } from '@flyball/runtime';

/** {@link Objects} in memory. */
export class MemoryObjects implements Objects {
  readonly #values = new Map<string, Uint8Array>();

  async put(name: string, value: Uint8Array): Promise<void> {
    refuseObjectName(name);
    this.#values.set(name, value.slice());
  }

  async create(name: string, value: Uint8Array): Promise<boolean> {
    refuseObjectName(name);
    if (this.#values.has(name)) return false;
    this.#values.set(name, value.slice());
    return true;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    refuseObjectName(name);
    return this.#values.get(name)?.slice();
  }

  async list(prefix: string): Promise<readonly string[]> {
    return [...this.#values.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  async delete(name: string): Promise<void> {
    refuseObjectName(name);
    this.#values.delete(name);
  }
}
