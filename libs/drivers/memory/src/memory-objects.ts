import type { Objects } from '@flyball/runtime';

/** {@link Objects} in memory. */
export class MemoryObjects implements Objects {
  readonly #values = new Map<string, Uint8Array>();

  async put(name: string, value: Uint8Array): Promise<void> {
    this.#values.set(name, value.slice());
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return this.#values.get(name)?.slice();
  }

  async list(prefix: string): Promise<readonly string[]> {
    return [...this.#values.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  async delete(name: string): Promise<void> {
    this.#values.delete(name);
  }
}
