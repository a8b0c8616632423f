import { hexToBytes } from '@noble/hashes/utils.js';
import { RejectedError } from './errors.ts';

const HEX_CODES = [...'0123456789abcdef'].map((digit) => digit.charCodeAt(0));

/** Bytes whose digits are made in one call. */
const CHUNK_BYTES = 4_096;

/** `bytes[at, at + size)` as lower-case hex digits; in large pieces, since a text that grows digit by digit is slow to read. */
export function hexOf(bytes: Uint8Array, at = 0, size = bytes.length - at): string {
  if (size > CHUNK_BYTES) {
    const chunks = Array.from({ length: Math.ceil(size / CHUNK_BYTES) }, (_, chunk) => {
      const done = chunk * CHUNK_BYTES;
      return hexOf(bytes, at + done, Math.min(CHUNK_BYTES, size - done));
    });
    return chunks.join('');
  }
  const codes = new Array<number>(2 * size);
  for (let index = 0; index < size; index += 1) {
    const byte = bytes[at + index]!;
    codes[2 * index] = HEX_CODES[byte >>> 4]!;
    codes[2 * index + 1] = HEX_CODES[byte & 0xf]!;
  }
  return String.fromCharCode(...codes);
}

/**
 * The bytes of hex digits.
 *
 * @throws {RejectedError} `HEX_INVALID` for text that is no pairs of them.
 */
export function bytesOfHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || /[^0-9a-fA-F]/.test(text)) {
    throw new RejectedError('HEX_INVALID', 'text is no pairs of hex digits');
  }
  return hexToBytes(text);
}
