import { UnavailableError } from '@flyball/core';
import type { StoredRecord } from '@flyball/runtime';
import { crc32c } from '@node-rs/crc32';
import { type Aborted, AbortedTransactions } from './aborted.ts';
import { unpack } from './unpack.ts';

/** Bytes before the records of a batch. */
export const BATCH_HEADER_BYTES = 61;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
const COMPRESSION_MASK = 0x7;
const APPEND_TIME_FLAG = 0x8;
const TRANSACTION_FLAG = 0x10;
const CONTROL_FLAG = 0x20;
/** Most bytes that a compressed batch may unpack to: the size of a fetch bounds the wire, not the memory. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Reads the record batches of a fetch, from `fromOffset` on. A batch that the size limit of the fetch has cut ends them.
 * Records of aborted transactions and the markers of all become empty records, so that offsets stay without holes; an empty
 * record says nothing to anybody.
 *
 * Source: Kafka documentation, "Message Format", record batch version 2.
 *
 * @param aborted - transactions that the broker tells of beside the batches.
 * @throws {UnavailableError} `LOG_BATCH_UNREADABLE`: unknown compression, a batch that unpacks to too much, or one that is spoiled.
 */
export function readBatches(bytes: Buffer, fromOffset: number, aborted: readonly Aborted[]): StoredRecord[] {
  const transactions = new AbortedTransactions(aborted);
  const records: StoredRecord[] = [];
  let unpackedBytes = 0;
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length;) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    try {
      if (end < at + BATCH_HEADER_BYTES) throw spoiled(Number(bytes.readBigInt64BE(at)));
      unpackedBytes += readBatch(bytes.subarray(at, end), { fromOffset, transactions }, records);
    } catch (error) {
      if (records.length === 0) throw error;
      break; // Whoever reads on from here is told.
    }
    if (unpackedBytes > UNPACKED_BYTES_MAX) break;
    at = end;
  }
  return records;
}

/** CRC-32C of a batch, of its attributes and all behind them: brokers keep it and do not look at it when they are read from. */
export function checksumOf(batch: Buffer): number {
  return crc32c(batch.subarray(ATTRIBUTES_AT));
}

/** Returns the size of its records, unpacked. */
function readBatch(
  batch: Buffer,
  { fromOffset, transactions }: { readonly fromOffset: number; readonly transactions: AbortedTransactions },
  records: StoredRecord[],
): number {
  const baseOffset = Number(batch.readBigInt64BE(0));
  if (batch.readUInt32BE(CRC_AT) !== checksumOf(batch)) throw spoiled(baseOffset);
  const attributes = batch.readInt16BE(ATTRIBUTES_AT);
  const isControl = (attributes & CONTROL_FLAG) !== 0;
  const isAborted = transactions.take({
    producerId: batch.readBigInt64BE(43),
    baseOffset: batch.readBigInt64BE(0),
    isTransactional: (attributes & TRANSACTION_FLAG) !== 0,
    isControl,
  });
  const isAppendTime = (attributes & APPEND_TIME_FLAG) !== 0;
  const baseMs = Number(batch.readBigInt64BE(isAppendTime ? 35 : 27));
  const count = batch.readInt32BE(57);
  const unpacked = unpackRecords(batch.subarray(BATCH_HEADER_BYTES), attributes & COMPRESSION_MASK, baseOffset);
  const reader = new VarintReader(unpacked);
  for (let index = 0; index < count; index += 1) {
    const record = readRecord(reader, { baseOffset, baseMs, isAppendTime });
    if (record === undefined) throw spoiled(baseOffset);
    if (record.offset < fromOffset) continue;
    records.push(isControl || isAborted ? { ...record, key: '', headers: {}, value: NOTHING } : record);
  }
  return unpacked.length;
}

const NOTHING = new Uint8Array(0);

function spoiled(offset: number): UnavailableError {
  const hint = 'Look at the disks of the brokers, and at the network: the batch is not what was written.';
  return new UnavailableError('LOG_BATCH_UNREADABLE', 'a batch does not hold together', { hint, detail: { offset } });
}

/** The next record; `undefined` where the bytes are none. */
function readRecord(
  reader: VarintReader,
  { baseOffset, baseMs, isAppendTime }: { baseOffset: number; baseMs: number; isAppendTime: boolean },
): StoredRecord | undefined {
  const length = reader.varint();
  const end = reader.at + length;
  reader.at += 1; // Attributes, unused.
  const deltaMs = reader.varint();
  const offset = baseOffset + reader.varint();
  const key = reader.text();
  const value = reader.bytes() ?? NOTHING;
  const headers: Record<string, string> = {};
  for (let count = reader.varint(); count > 0; count -= 1) {
    const name = reader.text();
    headers[name] = reader.text();
    if (reader.isBeyond(end)) return undefined;
  }
  // What is shorter than it says may hold what a later version adds.
  if (reader.isBeyond(end)) return undefined;
  reader.at = end;
  return { offset, appendedAtMs: isAppendTime ? baseMs : baseMs + deltaMs, key, headers, value };
}

function unpackRecords(bytes: Buffer, codec: number, offset: number): Buffer {
  try {
    return unpack(bytes, codec, UNPACKED_BYTES_MAX);
  } catch (cause) {
    const hint = 'Look at who wrote it: batches unpack to at most 64 MiB, by gzip, snappy, lz4 or zstd.';
    const message = 'a batch cannot be unpacked';
    throw new UnavailableError('LOG_BATCH_UNREADABLE', message, { cause, hint, detail: { offset } });
  }
}

/** Reads zigzag varints and what is prefixed by them. Beyond its end all is 0. */
class VarintReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Whether more was read than there is up to a place, or is at all. */
  isBeyond(end: number): boolean {
    return this.at > end || this.at > this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.at] ?? 0;
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Bytes, or `null`. A view: it keeps what was fetched with it alive. */
  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    return this.bytes()?.toString('utf8') ?? '';
  }
}
