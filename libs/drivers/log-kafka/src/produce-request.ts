import type { NewRecord, Partition } from '@flyball/runtime';
import { ATTRIBUTES_AT, BATCH_HEADER_BYTES, CRC_AT, checksumOf } from './record-batch.ts';

/** Of the header of a batch, what stands before the length of the rest, and that length. */
const BATCH_PREFIX_BYTES = 12;
/** Bytes of a request beside the name of its topic and its batch. */
const REQUEST_BYTES = 2 + 2 + 4 + 4 + 2 + 4 + 4 + 4;
const ACKS_ALL = -1;
const MAGIC = 2;

/** A record with the sizes of what its lengths are written before. */
interface Sized {
  readonly key: Buffer | undefined;
  readonly value: Uint8Array;
  readonly headers: readonly (readonly [Buffer, Buffer])[];
  /** Bytes of the record after its own length. */
  readonly bytes: number;
}

/** Records as one batch for one partition, and how large the batch is. */
export interface ProduceRequest {
  readonly bytes: Buffer;
  /** What a broker holds against `max.message.bytes`. */
  readonly batchBytes: number;
}

/**
 * Encodes a produce request of one plain batch for one partition, in a buffer of its size. kafkajs does the same by way of nine
 * nested buffers, each a power of two and filled with zeros: fourteen times the bytes, and a full garbage collection for each 64 MiB.
 *
 * Source: Kafka protocol guide, Produce request version 7; Kafka documentation, "Message Format", record batch version 2.
 *
 * @param timeoutMs - how long the broker may wait for its replicas.
 * @param nowMs - create time of the records; topics with append time replace it.
 */
export function encodeProduce(
  to: Partition,
  records: readonly NewRecord[],
  { timeoutMs, nowMs }: { readonly timeoutMs: number; readonly nowMs: number },
): ProduceRequest {
  const topic = Buffer.from(to.topic);
  const sized = records.map(sizedOf);
  const batchBytes = sized.reduce((sum, { bytes }) => sum + varintBytes(bytes) + bytes, BATCH_HEADER_BYTES);
  const bytes = Buffer.allocUnsafe(REQUEST_BYTES + topic.length + batchBytes);
  let at = bytes.writeInt16BE(-1, 0); // No transaction.
  at = bytes.writeInt16BE(ACKS_ALL, at);
  at = bytes.writeInt32BE(timeoutMs, at);
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt16BE(topic.length, at);
  at += topic.copy(bytes, at);
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt32BE(to.partition, at);
  at = bytes.writeInt32BE(batchBytes, at);
  writeBatch(bytes.subarray(at), sized, nowMs);
  return { bytes, batchBytes };
}

function writeBatch(batch: Buffer, records: readonly Sized[], nowMs: number): void {
  batch.writeBigInt64BE(0n, 0); // First offset: the broker's to say.
  batch.writeInt32BE(batch.length - BATCH_PREFIX_BYTES, 8);
  batch.writeInt32BE(0, 12); // Leader epoch: the broker's to say.
  batch.writeInt8(MAGIC, 16);
  let at = batch.writeInt16BE(0, ATTRIBUTES_AT); // Not compressed, no transaction.
  at = batch.writeInt32BE(records.length - 1, at);
  at = batch.writeBigInt64BE(BigInt(nowMs), at);
  at = batch.writeBigInt64BE(BigInt(nowMs), at);
  at = batch.writeBigInt64BE(-1n, at); // No producer that the broker would know again.
  at = batch.writeInt16BE(0, at);
  at = batch.writeInt32BE(0, at);
  at = batch.writeInt32BE(records.length, at);
  const writer = new VarintWriter(batch, at);
  for (const [index, record] of records.entries()) writeRecord(writer, record, index);
  batch.writeUInt32BE(checksumOf(batch), CRC_AT);
}

function writeRecord(writer: VarintWriter, { bytes, key, value, headers }: Sized, index: number): void {
  writer.varint(bytes);
  writer.byte(0); // Attributes, unused.
  writer.varint(0); // All are of the batch's time.
  writer.varint(index);
  if (key === undefined) writer.varint(-1);
  else writer.prefixed(key);
  writer.prefixed(value);
  writer.varint(headers.length);
  for (const [name, text] of headers) {
    writer.prefixed(name);
    writer.prefixed(text);
  }
}

function sizedOf({ key, value, headers }: NewRecord, index: number): Sized {
  const keyBytes = key === '' ? undefined : Buffer.from(key);
  const named = Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)] as const);
  const keySize = keyBytes === undefined ? varintBytes(-1) : prefixedBytes(keyBytes);
  const fixed = 1 + varintBytes(0) + varintBytes(index) + varintBytes(named.length);
  const bytes = named.reduce(
    (sum, [name, text]) => sum + prefixedBytes(name) + prefixedBytes(text),
    fixed + keySize + prefixedBytes(value),
  );
  return { key: keyBytes, value, headers: named, bytes };
}

function prefixedBytes({ length }: Uint8Array): number {
  return varintBytes(length) + length;
}

/** Bytes of a zigzag varint of 32 bits. */
function varintBytes(value: number): number {
  return Math.max(1, Math.ceil((32 - Math.clz32(zigzag(value))) / 7));
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

/** Writes zigzag varints, and what is prefixed by them. */
class VarintWriter {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  byte(value: number): void {
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  varint(value: number): void {
    let rest = zigzag(value);
    for (; rest >= 0x80; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  prefixed(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}
