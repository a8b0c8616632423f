import { textOf } from '@flyball/core';

const SLOTS_MIN = 1_024;
const STORE_BYTES_MIN = 16_384;

/**
 * Maps byte strings to small numbers, so that a name seen a million times is decoded once. Numbers are valid
 * until {@link clear}. Strings lie end to end in one store: as objects of their own they would take ten times the memory.
 */
export class Interner {
  #slots = new Int32Array(SLOTS_MIN).fill(-1);
  #hashes = new Int32Array(SLOTS_MIN / 2);
  /** Where each string ends in the store; it starts where the one before ends. */
  #ends = new Uint32Array(SLOTS_MIN / 2);
  #store = new Uint8Array(STORE_BYTES_MIN);
  #size = 0;
  #texts: (string | undefined)[] = [];
  readonly #seed: number;

  /** @param seed - makes collisions hard to send on purpose. */
  constructor(seed = 0) {
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  /** Length of all strings together, bytes. */
  get bytes(): number {
    return this.#startOf(this.#size);
  }

  /** The number of `bytes[start, end)`. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5 ^ this.#seed;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]!;
      if (number < 0) return this.#add(slot, hash, bytes.subarray(start, end));
      if (this.#hashes[number] === hash && this.#isSame(number, bytes, start, end)) return number;
    }
  }

  /** The text of a number; invalid UTF-8 becomes U+FFFD. */
  text(number: number): string {
    return (this.#texts[number] ??= textOf(this.#store.subarray(this.#startOf(number), this.#ends[number])));
  }

  /** Forgets everything. All numbers become invalid. */
  clear(): void {
    this.#slots = new Int32Array(SLOTS_MIN).fill(-1);
    this.#hashes = new Int32Array(SLOTS_MIN / 2);
    this.#ends = new Uint32Array(SLOTS_MIN / 2);
    this.#store = new Uint8Array(STORE_BYTES_MIN);
    this.#size = 0;
    this.#texts = [];
  }

  #startOf(number: number): number {
    return number === 0 ? 0 : this.#ends[number - 1]!;
  }

  #isSame(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#startOf(number);
    if (this.#ends[number]! - from !== end - start) return false;
    const store = this.#store;
    for (let index = 0; index < end - start; index += 1) if (store[from + index] !== bytes[start + index]) return false;
    return true;
  }

  #add(slot: number, hash: number, key: Uint8Array): number {
    const number = this.#size;
    const start = this.#startOf(number);
    const end = start + key.length;
    if (end > this.#store.length) this.#store = resized(this.#store, Math.max(end, this.#store.length * 2));
    this.#store.set(key, start);
    this.#ends[number] = end;
    this.#hashes[number] = hash;
    this.#slots[slot] = number;
    this.#size += 1;
    if (this.#size === this.#ends.length) this.#grow();
    return number;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let number = 0; number < this.#size; number += 1) {
      let slot = this.#hashes[number]! & mask;
      while (slots[slot]! >= 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
    const hashes = new Int32Array(slots.length / 2);
    const ends = new Uint32Array(slots.length / 2);
    hashes.set(this.#hashes);
    ends.set(this.#ends);
    this.#hashes = hashes;
    this.#ends = ends;
  }
}

function resized(store: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(store);
  return larger;
}
