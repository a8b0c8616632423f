const MAGIC = 0x184d2204;
const VERSION_MASK = 0xc0;
const VERSION = 0x40;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const DICTIONARY = 0x01;
const NOT_COMPRESSED = 0x8000_0000;
/** Of a match, beyond its length code. */
const MATCH_MIN = 4;
/** A length code of all ones goes on in bytes. */
const LENGTH_MORE = 15;

/**
 * Unpacks an LZ4 frame, into at most so many bytes: a thousand of them may come from four, so a limit on what is read is none.
 * Checksums are left to the batch, which has one of its own.
 *
 * Source: lz4_Frame_format.md 1.6.4 and lz4_Block_format.md of the LZ4 project. Written out here because the libraries at hand
 * do not bound what they unpack, or are not kept.
 *
 * @throws {RangeError} when the bytes are no frame, are cut, or unpack to more.
 */
export function unpackLz4(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint8(4);
  if (view.getUint32(0, true) !== MAGIC || (flags & VERSION_MASK) !== VERSION) throw new RangeError('no LZ4 frame');
  if ((flags & DICTIONARY) !== 0) throw new RangeError('an LZ4 frame with a dictionary');
  let at = 4 + 2 + ((flags & CONTENT_SIZE) !== 0 ? 8 : 0) + 1;
  const output = new Output(bytesMax);
  for (;;) {
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) return output.finish();
    const isCompressed = word < NOT_COMPRESSED;
    const block = bytes.subarray(at, at + (word % NOT_COMPRESSED));
    if (block.length < word % NOT_COMPRESSED) throw new RangeError('a cut LZ4 block');
    if (isCompressed) unpackBlock(block, output);
    else output.literals(block, 0, block.length);
    at += block.length + ((flags & BLOCK_CHECKSUM) !== 0 ? 4 : 0);
  }
}

function unpackBlock(block: Uint8Array, output: Output): void {
  for (let at = 0; at < block.length;) {
    const token = block[at]!;
    at += 1;
    const length = (code: number): number => {
      if (code < LENGTH_MORE) return code;
      for (let sum = code; ;) {
        const more = block[at];
        if (more === undefined) throw new RangeError('a cut LZ4 length');
        at += 1;
        sum += more;
        if (more < 0xff) return sum;
      }
    };
    const literals = length(token >>> 4);
    output.literals(block, at, literals);
    at += literals;
    if (at >= block.length) return; // The last sequence has literals only.
    const distance = block[at]! + 0x100 * (block[at + 1] ?? 0);
    at += 2;
    output.match(distance, length(token & 0xf) + MATCH_MIN);
  }
}

/** What was unpacked so far: matches reach back into it. */
class Output {
  readonly #bytesMax: number;
  #bytes = new Uint8Array(64 * 1024);
  #size = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  literals(from: Uint8Array, at: number, length: number): void {
    if (at + length > from.length) throw new RangeError('cut LZ4 literals');
    this.#reserve(length);
    this.#bytes.set(from.subarray(at, at + length), this.#size);
    this.#size += length;
  }

  /** A match may overlap what it makes: it is copied byte by byte, forwards. */
  match(distance: number, length: number): void {
    if (distance === 0 || distance > this.#size) throw new RangeError('an LZ4 match before the start');
    this.#reserve(length);
    const bytes = this.#bytes;
    for (let end = this.#size + length; this.#size < end; this.#size += 1) {
      bytes[this.#size] = bytes[this.#size - distance]!;
    }
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  #reserve(length: number): void {
    const size = this.#size + length;
    if (size > this.#bytesMax) throw new RangeError(`LZ4 unpacks to more than ${this.#bytesMax} bytes`);
    if (size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(2 * this.#bytes.length, size)));
    larger.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = larger;
  }
}
