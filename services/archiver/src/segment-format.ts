import { concatBytes, EMPTY_BYTES, RejectedError, strictTextOf, textOf, utf8 } from '@flyball/core';
import type { StoredRecord } from '@flyball/runtime';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
/** A fixed level, so that two archivers write the same bytes; and a checksum, so that `zstd -t` finds a flipped bit. */
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 } };
const OPENING_BRACE = 0x7b;
const LENGTH_BYTES = 4;

/** Files of some records, unpacked. */
export interface PlainFiles {
  /** A line of JSON per record: offset, appendedAtMs, key, headers, and `body` (JSON) or `bytes` (length in `bodies`). */
  readonly records: Uint8Array;
  /** Bodies that are no JSON, in the order of their lines, each after its length in four bytes, big-endian. */
  readonly bodies: Uint8Array;
  readonly bodyCount: number;
}

/**
 * Lays records out as files that standard tools read. A body goes into its line when it is JSON that is written back byte for
 * byte; all others go into `bodies`, as the OpenTelemetry Collector's file exporter lays out `format: proto`.
 */
export function layOut(records: readonly StoredRecord[]): PlainFiles {
  const lines: string[] = [];
  const chunks: Uint8Array[] = [];
  for (const { offset, appendedAtMs, key, headers, value } of records) {
    const head = JSON.stringify({ offset, appendedAtMs, key, headers }).slice(0, -1);
    const json = jsonOf(value);
    lines.push(json === undefined ? `${head},"bytes":${value.length}}\n` : `${head},"body":${json}}\n`);
    if (json === undefined) chunks.push(lengthOf(value), value);
  }
  const bodies = chunks.length === 0 ? EMPTY_BYTES : concatBytes(chunks);
  return { records: utf8(lines.join('')), bodies, bodyCount: chunks.length / 2 };
}

interface Line {
  readonly offset: number;
  readonly appendedAtMs: number;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly bytes?: number;
}

/** Reads back what {@link layOut} wrote, byte for byte. @throws {RejectedError} `ARCHIVE_CORRUPT` */
export function readBack({ records, bodies }: Pick<PlainFiles, 'records' | 'bodies'>): StoredRecord[] {
  const view = new DataView(bodies.buffer, bodies.byteOffset, bodies.byteLength);
  let at = 0;
  const next = (bytes: number): Uint8Array => {
    const start = at + LENGTH_BYTES;
    const isThere = start + bytes <= bodies.length && view.getUint32(at) === bytes;
    if (!isThere) throw corrupt('bodies do not fit their lines');
    at = start + bytes;
    return bodies.subarray(start, at);
  };
  const found: StoredRecord[] = [];
  for (const text of textOf(records).split('\n')) {
    if (text === '') continue;
    const { offset, appendedAtMs, key, headers, body, bytes } = JSON.parse(text) as Line;
    const value = bytes === undefined ? utf8(JSON.stringify(body)) : next(bytes);
    found.push({ offset, appendedAtMs, key, headers, value });
  }
  if (at !== bodies.length) throw corrupt('there are bodies without a line');
  return found;
}

/** Packs a file: one zstd frame, the same bytes for the same content. */
export async function pack(plain: Uint8Array): Promise<Uint8Array> {
  return compress(plain, ZSTD);
}

/** Unpacks a file of a known size. @throws {RejectedError} `ARCHIVE_CORRUPT` */
export async function unpack(packed: Uint8Array, plainBytes: number): Promise<Uint8Array> {
  try {
    // A limit of nothing would be none.
    const plain = await decompress(packed, { maxOutputLength: Math.max(1, plainBytes) });
    if (plain.length === plainBytes) return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
  } catch (cause) {
    throw corrupt('an object cannot be unpacked', cause);
  }
  throw corrupt('an object unpacks to another size');
}

/** The text of a body that JSON gives back as it was. */
function jsonOf(value: Uint8Array): string | undefined {
  if (value[0] !== OPENING_BRACE) return undefined;
  const text = strictTextOf(value);
  if (text === undefined) return undefined;
  try {
    return JSON.stringify(JSON.parse(text)) === text ? text : undefined;
  } catch {
    return undefined;
  }
}

function lengthOf(value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, value.length);
  return bytes;
}

function corrupt(message: string, cause?: unknown): RejectedError {
  return new RejectedError('ARCHIVE_CORRUPT', message, { cause });
}
