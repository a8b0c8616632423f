import { utf8 } from './bytes.ts';
import { WIRE } from './wire-reader.ts';

/** Writes protobuf fields. */
export class WireWriter {
  #bytes = new Uint8Array(256);
  #size = 0;

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

  /** A text field; '' is the default and is left out. */
  text(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, utf8(value));
  }

  /** One number of a packed repeated field: no tag. */
  packed(value: number): this {
    this.#varint(value);
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

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire);
  }

  #varint(value: number | bigint): void {
    this.#reserve(10);
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
