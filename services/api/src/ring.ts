/** The newest so many items. */
export class Ring<T> {
  readonly #max: number;
  #items: T[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  push(item: T): void {
    this.#items.push(item);
    // Dropped in bulk: a shift per push is too slow.
    if (this.#items.length > this.#max * 1.25) this.#items = this.#items.slice(-this.#max);
  }

  /** Oldest first. */
  toArray(): readonly T[] {
    return this.#items.slice(-this.#max);
  }

  last(): T | undefined {
    return this.#items.at(-1);
  }
}
