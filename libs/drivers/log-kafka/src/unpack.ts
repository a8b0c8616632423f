import { uncompress } from 'snappyjs';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { unpackLz4 } from './lz4-frame.ts';

/** Snappy as Java's producer frames it: this, then two numbers, then blocks with their lengths. Others send one bare block. */
const FRAMED_SNAPPY = Buffer.from('\x82SNAPPY\0', 'latin1');
const FRAMED_SNAPPY_HEADER_BYTES = 16;

type Unpack = (bytes: Buffer, bytesMax: number) => Buffer;

const CODECS: readonly Unpack[] = [
  (bytes) => bytes,
  (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  unpackSnappy,
  (bytes, bytesMax) => asBuffer(unpackLz4(bytes, bytesMax)),
  (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
];

/**
 * Unpacks the records of a batch.
 *
 * Source: Kafka documentation, "Record Batch", attributes: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
 *
 * @throws when they unpack to more than `bytesMax` bytes, are not what the codec says, or the codec is unknown.
 */
export function unpack(bytes: Buffer, codec: number, bytesMax: number): Buffer {
  const unpackWith = CODECS[codec];
  if (unpackWith === undefined) throw new RangeError(`compression ${codec} is unknown`);
  return unpackWith(bytes, bytesMax);
}

function unpackSnappy(bytes: Buffer, bytesMax: number): Buffer {
  if (!bytes.subarray(0, FRAMED_SNAPPY.length).equals(FRAMED_SNAPPY)) return uncompress(bytes, bytesMax);
  const blocks: Buffer[] = [];
  let size = 0;
  for (let at = FRAMED_SNAPPY_HEADER_BYTES; at < bytes.length;) {
    const end = at + 4 + bytes.readInt32BE(at);
    if (end > bytes.length) throw new RangeError('a cut snappy block');
    const block = uncompress(bytes.subarray(at + 4, end), bytesMax - size);
    size += block.length;
    blocks.push(block);
    at = end;
  }
  return Buffer.concat(blocks);
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
