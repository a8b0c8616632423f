import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { utf8 } from './bytes.ts';

// Of what Node has, these two are functions of their input alone, and checkpoints are tens of megabytes.

/** SHA-256 of bytes or of UTF-8 text, as 64 lower-case hex digits. */
export function sha256Hex(data: Uint8Array | string): string {
  return hash('sha256', data, 'hex');
}

/**
 * An id derived from content: the same parts always give the same id, live and in replay. Parts are
 * length-prefixed by JSON, so `['ab', 'c']` and `['a', 'bc']` differ.
 *
 * @param prefix - kind of thing, e.g. `c` for a command.
 * @returns `<prefix>-` and 16 hex digits.
 */
export function contentId(prefix: string, parts: readonly (string | number)[]): string {
  return `${prefix}-${sha256Hex(JSON.stringify(parts)).slice(0, 16)}`;
}

/**
 * 32-bit FNV-1a of UTF-8 text: spreads keys over lanes. Not for anything an adversary may choose.
 *
 * Source: RFC 9923, "The FNV Non-Cryptographic Hash Algorithm".
 */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    // Keys are ASCII nearly always, and a character is then its byte: the encoder would cost more than the hash.
    if (code >= 0x80) return fnv1aOfBytes(utf8(text));
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  return hash >>> 0;
}

function fnv1aOfBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The lane of a key: `hash(key) mod lanes`, computed by us and nobody's partitioner. */
export function laneOf(key: string, lanes: number): number {
  return fnv1a(key) % lanes;
}

/** CRC-32 (IEEE 802.3, ITU-T V.42) of bytes, 0 to 2^32 - 1. */
export { crc32 };
