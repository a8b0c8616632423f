import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentId, crc32, fnv1a, laneOf, sha256Hex } from './hash.ts';

// Goal: ids, checksums and lanes mean the same to every release and to other people's tools. Method: compare with another
// implementation, and with published test vectors.

test('SHA-256 equals that of another implementation, of bytes and of any text in UTF-8', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 60 }), (bytes, text) => {
      expect(sha256Hex(bytes)).toBe(bytesToHex(sha256(bytes)));
      expect(sha256Hex(text)).toBe(bytesToHex(sha256(new TextEncoder().encode(text))));
    }),
  );
  expect(sha256Hex('\ud800')).toBe(sha256Hex('\ufffd'));
});

test('CRC-32 gives the published check value', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
});

test('FNV-1a gives the published vectors', () => {
  expect(fnv1a('')).toBe(0x811c9dc5);
  expect(fnv1a('a')).toBe(0xe40c292c);
  expect(fnv1a('foobar')).toBe(0xbf9cf968);
});

test('FNV-1a of any text is that of its UTF-8 bytes: a key with an accent finds the same lane as ever', () => {
  const ofBytes = (bytes: Uint8Array) =>
    bytes.reduce((hash, byte) => BigInt.asUintN(32, (hash ^ BigInt(byte)) * 0x01000193n), 0x811c9dc5n);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      expect(BigInt(fnv1a(text))).toBe(ofBytes(Buffer.from(text, 'utf8')));
    }),
  );
});

test('keys spread over all lanes', () => {
  const lanes = new Set(Array.from({ length: 100 }, (_, index) => laneOf(`default/prod/service-${index}`, 4)));
  expect([...lanes].sort()).toEqual([0, 1, 2, 3]);
});

test('the parts of an id cannot run into each other', () => {
  expect(contentId('c', ['ab', 'c'])).not.toBe(contentId('c', ['a', 'bc']));
  expect(contentId('c', ['a', 1])).toMatch(/^c-[0-9a-f]{16}$/);
});
