interface Kept {
  readonly key: string;
  readonly endMs: number;
  readonly value: Uint8Array;
}

/** What a window costs beyond its bytes, with a buffer of its own; as heap snapshots show. */
const WINDOW_BYTES = 400;

/** The latest windows of every subject and kind, kept as bytes: as objects they would take ten times the memory. */
export class WindowHistory {
  readonly #windowsMax: number;
  readonly #bytesMax: number;
  /** All of them by number, as they came: a map keeps its order, also when something in its middle goes. */
  readonly #windows = new Map<number, Kept>();
  /** Their numbers by subject, in the order of their ends. */
  readonly #subjects = new Map<string, number[]>();
  #lastNumber = 0;
  #bytes = 0;

  /**
   * @param windowsMax - of one subject.
   * @param bytesMax - of all windows together, with what they cost beside their bytes.
   */
  constructor(windowsMax: number, bytesMax: number) {
    this.#windowsMax = windowsMax;
    this.#bytesMax = bytesMax;
  }

  /** Adds a window, once per end. The subject's oldest goes when it has too many, the oldest of all when all have. */
  add(key: string, endMs: number, value: Uint8Array): void {
    const numbers = this.#subjects.get(key) ?? [];
    const before = numbers.findLastIndex((number) => this.#windows.get(number)!.endMs <= endMs);
    if (before >= 0 && this.#windows.get(numbers[before]!)!.endMs === endMs) return;
    this.#lastNumber += 1;
    numbers.splice(before + 1, 0, this.#lastNumber);
    this.#subjects.set(key, numbers);
    this.#windows.set(this.#lastNumber, { key, endMs, value: value.slice() });
    this.#bytes += value.length + WINDOW_BYTES;
    if (numbers.length > this.#windowsMax) this.#dropOldest(key);
    while (this.#bytes > this.#bytesMax) this.#dropOldest(this.#windows.values().next().value!.key);
  }

  /** Drops what ended up to `endMs`. */
  dropUntil(key: string, endMs: number): void {
    const numbers = this.#subjects.get(key) ?? [];
    while (numbers.length > 0 && this.#windows.get(numbers[0]!)!.endMs <= endMs) this.#dropOldest(key);
  }

  /** Windows of a subject, oldest first. */
  of(key: string): readonly Uint8Array[] {
    return (this.#subjects.get(key) ?? []).map((number) => this.#windows.get(number)!.value);
  }

  #dropOldest(key: string): void {
    const numbers = this.#subjects.get(key)!;
    const oldest = numbers.shift()!;
    this.#bytes -= this.#windows.get(oldest)!.value.length + WINDOW_BYTES;
    this.#windows.delete(oldest);
    if (numbers.length === 0) this.#subjects.delete(key);
  }
}
