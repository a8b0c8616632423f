import { type Window, windowsCodec } from '@flyball/contracts';

/** Most windows of one service, and most bytes of all together. */
const WINDOWS_PER_SERVICE_MAX = 360;
const BYTES_MAX = 48 * 1024 * 1024;

interface Kept {
  readonly key: string;
  readonly value: Uint8Array;
}

/** The newest windows of every service, kept as bytes: as objects they would take ten times the memory. */
export class WindowHistory {
  /** All of them by number, oldest first: a map keeps its order, also when something in its middle goes. */
  readonly #windows = new Map<number, Kept>();
  /** Their numbers by service, oldest first. */
  readonly #services = new Map<string, number[]>();
  #lastNumber = 0;
  #bytes = 0;

  /** Adds a window as it was encoded. The service's oldest goes when it has too many, the oldest of all when all have. */
  add(key: string, value: Uint8Array): void {
    const numbers = this.#services.get(key) ?? [];
    this.#services.set(key, numbers);
    this.#lastNumber += 1;
    numbers.push(this.#lastNumber);
    this.#windows.set(this.#lastNumber, { key, value: value.slice() });
    this.#bytes += value.length;
    if (numbers.length > WINDOWS_PER_SERVICE_MAX) this.#dropOldest(key);
    while (this.#bytes > BYTES_MAX) this.#dropOldest(this.#windows.values().next().value!.key);
  }

  /** Windows of a service, oldest first. */
  of(key: string): readonly Window[] {
    const values = (this.#services.get(key) ?? []).map((number) => this.#windows.get(number)!.value);
    return values.map((value) => windowsCodec.decode({ value })).filter((message) => message.type === 'window');
  }

  #dropOldest(key: string): void {
    const numbers = this.#services.get(key)!;
    const oldest = numbers.shift()!;
    this.#bytes -= this.#windows.get(oldest)!.value.length;
    this.#windows.delete(oldest);
    if (numbers.length === 0) this.#services.delete(key);
  }
}
