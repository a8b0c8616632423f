/** Where it begins; what is smaller is not worth growing. */
const FIRST_BYTES = 64 * 1024;

/**
 * Puts a body together from what comes of it. There is never more than one copy: what it outgrows is let go of at once, and does
 * not wait for the garbage collector, which lets such memory pile up.
 */
export class Assembly {
  readonly #expectedBytes: number;
  #buffer = new ArrayBuffer(0);
  #size = 0;

  /** @param expectedBytes - how large it will be at most. Nothing is taken because of it before it comes. */
  constructor(expectedBytes: number) {
    this.#expectedBytes = expectedBytes;
  }

  /** Bytes that came so far. */
  get size(): number {
    return this.#size;
  }

  /** Adds a copy of what came. */
  add(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#buffer.byteLength) {
      const roomy = Math.max(2 * this.#buffer.byteLength, FIRST_BYTES);
      this.#buffer = this.#buffer.transfer(Math.max(size, Math.min(roomy, this.#expectedBytes)));
    }
    new Uint8Array(this.#buffer).set(chunk, this.#size);
    this.#size = size;
  }

  /** Lets go of what came: nobody will want it. */
  discard(): void {
    this.#buffer.transfer(0);
    this.#buffer = new ArrayBuffer(0);
    this.#size = 0;
  }

  /** All of it. Nothing may be added after. */
  finish(): Buffer {
    return Buffer.from(this.#buffer, 0, this.#size);
  }
}
