import { textOf } from '@flyball/core';

const SLOTS_MIN = 1_024;

/**
 * Maps byte strings to small numbers, so that a name seen a million times is decoded once. Numbers are valid
 * until {@link clear}.
 */
export class Interner {
  #slots = new Int32Array(SLOTS_MIN).fill(-1);
  #hashes: number[] = [];
  #keys: Uint8Array[] = [];
  #texts: string[] = [];
  readonly #seed: number;

  /** @param seed - makes collisions hard to send on purpose. */
  constructor(seed = 0) {
    this.#seed = seed;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** The number of `bytes[start, end)`. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5 ^ this.#seed;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]!;
      if (number < 0) return this.#add(slot, hash, bytes.slice(start, end));
      if (this.#hashes[number] === hash && this.#isSame(this.#keys[number]!, bytes, start, end)) return number;
    }
  }

  /** The text of a number; invalid UTF-8 becomes U+FFFD. */
  text(number: number): string {
    return (this.#texts[number] ??= textOf(this.#keys[number]!));
  }

  /** Forgets everything. All numbers become invalid. */
  clear(): void {
    this.#slots = new Int32Array(SLOTS_MIN).fill(-1);
    this.#hashes = [];
    this.#keys = [];
    this.#texts = [];
  }

  #isSame(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
    if (key.length !== end - start) return false;
    for (let index = 0; index < key.length; index += 1) if (key[index] !== bytes[start + index]) return false;
    return true;
  }

  #add(slot: number, hash: number, key: Uint8Array): number {
    const number = this.#keys.length;
    this.#keys.push(key);
    this.#hashes.push(hash);
    this.#slots[slot] = number;
    if (number * 2 >= this.#slots.length) this.#grow();
    return number;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    this.#hashes.forEach((hash, number) => {
      let slot = hash & mask;
      while (slots[slot]! >= 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    });
    this.#slots = slots;
  }
}
