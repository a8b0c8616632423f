import { textOf } from './bytes.ts';
import { RejectedError } from './errors.ts';

/** Wire types. Source: protobuf.dev/programming-guides/encoding, "Message Structure". */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Largest field number. */
const FIELD_MAX = 2 ** 29 - 1;

/**
 * A reader over protobuf bytes. `next()` moves to the next field of the message that ends at `end`; the
 * caller then takes its value or skips it. Fields of unknown number and groups are skipped or refused, never
 * followed, so that nesting costs no stack.
 */
export class WireReader {
  bytes: Uint8Array = new Uint8Array(0);
  /** Next byte to read. */
  at = 0;
  /** Number of the current field. */
  field = 0;
  /** Wire type of the current field. */
  wire = 0;
  #view: DataView = new DataView(new ArrayBuffer(0));
  readonly #code: string;

  /** @param code - of the error for bytes that cannot be read, e.g. `OTLP_MALFORMED`. */
  constructor(code: string) {
    this.#code = code;
  }

  /** Starts over with other bytes. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  /** Reads the tag of the next field. Returns false at the end of the message. */
  next(end: number): boolean {
    if (this.at === end) return false;
    const tag = this.varint(end);
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.field === 0 || this.field > FIELD_MAX) this.fail('field number');
    return true;
  }

  /** A varint as a number: exact up to 2^53, which no length, enum or count of ours exceeds. */
  varint(end: number): number {
    const { bytes } = this;
    let at = this.at;
    if (at < end && bytes[at]! < 0x80) {
      this.at = at + 1;
      return bytes[at]!;
    }
    let value = 0;
    let scale = 1;
    for (let size = 0; size < 10; size += 1) {
      if (at >= end) this.fail('cut varint');
      const byte = bytes[at]!;
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.at = at;
        return value;
      }
      scale *= 128;
    }
    return this.fail('varint of more than ten bytes');
  }

  /** Takes the length of a length-delimited field, and returns where its value ends. */
  lengthEnd(end: number): number {
    if (this.wire !== WIRE.bytes) this.fail('wire type');
    const length = this.varint(end);
    if (length > end - this.at) this.fail('length beyond the end');
    return this.at + length;
  }

  /** The two halves of a little-endian fixed64 are read by {@link low} and {@link high} at the returned place. */
  fixed64At(end: number): number {
    if (this.wire !== WIRE.fixed64) this.fail('wire type');
    if (end - this.at < 8) this.fail('cut fixed64');
    this.at += 8;
    return this.at - 8;
  }

  low(at: number): number {
    return this.#view.getUint32(at, true);
  }

  high(at: number): number {
    return this.#view.getUint32(at + 4, true);
  }

  /** Takes a varint field, such as an enum. */
  varintField(end: number): number {
    if (this.wire !== WIRE.varint) this.fail('wire type');
    return this.varint(end);
  }

  /** Passes over the value of the current field. */
  skip(end: number): void {
    switch (this.wire) {
      case WIRE.varint:
        this.varint(end);
        return;
      case WIRE.fixed64:
        this.fixed64At(end);
        return;
      case WIRE.bytes:
        this.at = this.lengthEnd(end);
        return;
      case WIRE.fixed32:
        if (end - this.at < 4) this.fail('cut fixed32');
        this.at += 4;
        return;
      default:
        this.fail('wire type');
    }
  }

  /** Takes a length-delimited value as text; invalid UTF-8 becomes U+FFFD. */
  textField(end: number): string {
    return textOf(this.bytesField(end));
  }

  /** Takes a length-delimited value as a view of the bytes. */
  bytesField(end: number): Uint8Array {
    const valueEnd = this.lengthEnd(end);
    const value = this.bytes.subarray(this.at, valueEnd);
    this.at = valueEnd;
    return value;
  }

  /** Takes a fixed64 field as a double. */
  doubleField(end: number): number {
    return this.#view.getFloat64(this.fixed64At(end), true);
  }

  /** @throws {RejectedError} with the reader's code and the byte offset: tell the sender. */
  fail(what: string): never {
    const hint = 'The offset says where the bytes stop being what they should be.';
    throw new RejectedError(this.#code, `malformed protobuf: ${what} at byte ${this.at}`, {
      hint,
      detail: { offset: this.at },
    });
  }
}
