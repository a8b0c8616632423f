/** Places that share a hash are a chain, newest first. Who walks one compares: a hash says only who it is not. */
export class PlaceChains {
  readonly #heads: Int32Array;
  #next = new Int32Array(256);

  /** @param places - how many are expected at most. */
  constructor(places: number) {
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, places)))).fill(-1);
  }

  add(hash: number, place: number): void {
    if (place >= this.#next.length) {
      const larger = new Int32Array(Math.max(place + 1, 2 * this.#next.length));
      larger.set(this.#next);
      this.#next = larger;
    }
    const slot = hash & (this.#heads.length - 1);
    this.#next[place] = this.#heads[slot]!;
    this.#heads[slot] = place;
  }

  /** The newest place of a hash, or -1. */
  first(hash: number): number {
    return this.#heads[hash & (this.#heads.length - 1)]!;
  }

  /** The place before it in its chain, or -1. */
  after(place: number): number {
    return this.#next[place]!;
  }

  clear(): void {
    this.#heads.fill(-1);
  }
}

/** Hash of `size` words from `at` on, and of one number more. Source of the mixing: MurmurHash3's 32-bit finalizer, A. Appleby. */
export function hashOfWords(words: Uint32Array, at: number, size: number, more = 0): number {
  let hash = more;
  for (let word = at; word < at + size; word += 1) {
    hash = Math.imul(hash ^ words[word]!, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash;
}
