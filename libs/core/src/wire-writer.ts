import { utf8 } from './bytes.ts';
import { WIRE } from './wire-reader.ts';

/** A text of at most so many characters is tried byte by byte: a call into the encoder costs more. */
const SHORT_TEXT = 48;
/** Of 64 bits. */
const VARINT_BYTES_MAX = 10;

/** Writes protobuf fields. */
export class WireWriter {
  static #spare: WireWriter | undefined;
  #bytes = new Uint8Array(256);
  #size = 0;

  /** The bytes of what `write` writes, made in a buffer that is used again: for what is encoded all the time. */
  static encode(write: (writer: WireWriter) => void): Uint8Array {
    const writer = WireWriter.#spare ?? new WireWriter();
    WireWriter.#spare = undefined;
    writer.#size = 0;
    write(writer);
    WireWriter.#spare = writer;
    return writer.finish();
  }

  /** What was written so far, as a copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  /** A varint field; 0 is the default and is left out. */
  varint(field: number, value: number | bigint): this {
    if (value === 0 || value === 0n) return this;
    this.#tag(field, WIRE.varint);
    this.#varint(value);
    return this;
  }

  /** A length-delimited field. */
  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, WIRE.bytes);
    this.#varint(value.length);
    this.raw(value);
    return this;
  }

  /** A length-delimited field of what `write` writes: a message in its place, without a copy of its own. */
  message(field: number, write: (writer: this) => void): this {
    this.#tag(field, WIRE.bytes);
    const lengthAt = this.#size;
    this.#reserve(1);
    this.#size += 1;
    write(this);
    this.#close(lengthAt);
    return this;
  }

  /** A text field; '' is the default and is left out. */
  text(field: number, value: string): this {
    return value === '' ? this : this.item(field, value);
  }

  /** A text of a repeated field, in which '' counts. */
  item(field: number, value: string): this {
    return this.#ascii(field, value) ? this : this.bytes(field, utf8(value));
  }

  /** A packed repeated field of varints. */
  packed(field: number, values: readonly number[]): this {
    this.#tag(field, WIRE.bytes);
    const lengthAt = this.#size;
    this.#reserve(1 + values.length);
    this.#size += 1;
    // Most are small: they are written without a call each, as far as there is room for them.
    let index = 0;
    const [bytes, from] = [this.#bytes, this.#size];
    for (; index < values.length && values[index]! < 0x80; index += 1) bytes[from + index] = values[index]!;
    this.#size += index;
    for (; index < values.length; index += 1) this.#varint(values[index]!);
    this.#close(lengthAt);
    return this;
  }

  fixed64(field: number, value: bigint): this {
    this.#tag(field, WIRE.fixed64);
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setBigUint64(this.#size, BigInt.asUintN(64, value), true);
    this.#size += 8;
    return this;
  }

  fixed32(field: number, value: number): this {
    this.#tag(field, WIRE.fixed32);
    this.#reserve(4);
    new DataView(this.#bytes.buffer).setUint32(this.#size, value, true);
    this.#size += 4;
    return this;
  }

  double(field: number, value: number): this {
    this.#tag(field, WIRE.fixed64);
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#size, value, true);
    this.#size += 8;
    return this;
  }

  /** Bytes as they are: fields that were written elsewhere. */
  raw(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
    return this;
  }

  /** Writes a short text that is all ASCII; of any other nothing is written. */
  #ascii(field: number, value: string): boolean {
    if (value.length > SHORT_TEXT) return false;
    const before = this.#size;
    this.#tag(field, WIRE.bytes);
    this.#varint(value.length);
    this.#reserve(value.length);
    const [bytes, from] = [this.#bytes, this.#size];
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code >= 0x80) {
        this.#size = before;
        return false;
      }
      bytes[from + index] = code;
    }
    this.#size += value.length;
    return true;
  }

  /** Writes the length of what came after a place of one byte; a longer length moves it up. */
  #close(lengthAt: number): void {
    const length = this.#size - lengthAt - 1;
    const lengthBytes = varintBytes(length);
    // Room for all that is to come while the end is known: from the place of the length on, growth would forget what stands behind it.
    this.#reserve(VARINT_BYTES_MAX);
    if (lengthBytes > 1) this.#bytes.copyWithin(lengthAt + lengthBytes, lengthAt + 1, this.#size);
    this.#size = lengthAt;
    this.#varint(length);
    this.#size += length;
  }

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire);
  }

  #varint(value: number | bigint): void {
    this.#reserve(VARINT_BYTES_MAX);
    if (typeof value === 'bigint' || value < 0) return this.#bigVarint(BigInt(value));
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#size] = (rest % 0x80) | 0x80;
      this.#size += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#size] = rest;
    this.#size += 1;
  }

  #bigVarint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      this.#bytes[this.#size] = Number(rest & 0x7fn) | 0x80;
      this.#size += 1;
      rest >>= 7n;
    }
    this.#bytes[this.#size] = Number(rest);
    this.#size += 1;
  }

  #reserve(size: number): void {
    if (this.#size + size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#size + size));
    larger.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = larger;
  }
}

/** Bytes of a whole number below 2^53 as a varint. */
function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}
