import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AbortedTransactions } from './aborted.ts';
import { unpackLz4 } from './lz4-frame.ts';
import { unpack } from './unpack.ts';

// Goal: telemetry counts whatever its producer compresses it with, and no bytes of anybody take more memory than they may.
// Method: bytes that Kafka's own Java producer (4.4.0), snappy-java and python-lz4 made of the same 77 kB, of which the gzip is
// the oracle; and such bytes spoiled.

const BYTES_MAX = 1_000_000;
const made = JSON.parse(readFileSync(new URL('../testdata/compressed.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>;
const bytesOf = (name: string) => Buffer.from(made[name]!, 'base64');
const plain = gunzipSync(bytesOf('gzip'));
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const codecOf = (name: string) => CODECS.indexOf(name.split(',')[0]!);

test.each(Object.keys(made))('%s is unpacked to what was packed', (name) => {
  const whole = name.endsWith('three times over') ? Buffer.concat([plain, plain, plain]) : plain;
  expect(unpack(bytesOf(name), codecOf(name), BYTES_MAX).equals(whole)).toBe(true);
  expect(unpack(bytesOf(name), codecOf(name), whole.length).equals(whole)).toBe(true);
  expect(() => unpack(bytesOf(name), codecOf(name), whole.length - 1)).toThrow();
});

test('a compression that nobody knows is refused', () => {
  expect(() => unpack(plain, 5, BYTES_MAX)).toThrow(/unknown/);
});

test.each(Object.keys(made).filter((name) => /snappy|lz4/.test(name)))(
  '%s that was cut or spoiled is refused, or unpacked within the limit: nothing else happens',
  (name) => {
    const bytes = bytesOf(name);
    const place = fc.nat(bytes.length - 1);
    const check = (spoiled: Buffer) => {
      try {
        expect(unpack(spoiled, codecOf(name), BYTES_MAX).length).toBeLessThanOrEqual(BYTES_MAX);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect((error as Error).name).not.toBe('AssertionError');
      }
    };
    fc.assert(fc.property(place, (length) => check(bytes.subarray(0, length))));
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 255 }), (at, by) => {
        const spoiled = Buffer.from(bytes);
        spoiled[at]! ^= by;
        check(spoiled);
      }),
    );
  },
);

test('LZ4 that unpacks a thousand-fold is given up at the limit', () => {
  // One block of one literal and a match of 255 bytes per byte.
  const block = [0x1f, 0x00, 0x01, 0x00, ...Array<number>(60_000).fill(0xff), 0];
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  const bomb = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73, ...size, ...block, 0, 0, 0, 0]);
  expect(() => unpackLz4(bomb, BYTES_MAX)).toThrow(/more than/);
  expect(unpackLz4(bomb, 20_000_000).length).toBe(1 + 4 + 15 + 60_000 * 255);
});

test('of each producer what it aborted never happened; what it did before, afterwards, or beside it counts', () => {
  const batch = (producerId: number, baseOffset: number, isControl = false) => {
    return { producerId: BigInt(producerId), baseOffset: BigInt(baseOffset), isTransactional: true, isControl };
  };
  const aborted = [
    { producerId: 1n, firstOffset: 10n },
    { producerId: 2n, firstOffset: 12n },
    { producerId: 1n, firstOffset: 30n },
  ];
  const transactions = new AbortedTransactions(aborted);
  const isAborted = [
    batch(1, 5),
    batch(1, 10),
    batch(3, 11),
    batch(2, 12),
    { ...batch(1, 13), isTransactional: false },
    batch(1, 14, true),
    batch(1, 15),
    batch(2, 16),
    batch(1, 17, true),
    batch(2, 18, true),
    batch(2, 19),
    batch(1, 30),
    batch(1, 31, true),
  ].map((each) => transactions.take(each));
  const named = isAborted.flatMap((each, index) => (each ? [index] : []));
  expect(named).toEqual([1, 3, 7, 11]);
  // Whoever begins to read in the middle of one is told of it all the same.
  expect(new AbortedTransactions(aborted).take(batch(2, 16))).toBe(true);
});
