import type { SignalKind } from '@flyball/contracts';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable, type Transform } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip, createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { CliError } from '../cli-error.ts';
import { encodeJson, type SignalRequest } from './json-lines.ts';

/** One line or message of a recording, or why it cannot be read. */
export type Recorded =
  | { readonly number: number; readonly requests: readonly SignalRequest[] }
  | { readonly number: number; readonly problem: string };

const ZSTD_MAGIC = 0x28b52ffd;
/** Larger than any request that a Collector writes. */
const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Reads what the Collector's `file` exporter writes: one OTLP/JSON request per line, or, where `signal` is given, messages of
 * protobuf each behind its length (4 bytes, big-endian); as a whole `.gz` or `.zst`, or each message compressed with zstd.
 *
 * @param onBytes - told of every piece that was read from the disk.
 * @throws {CliError} when there is no such file.
 */
export async function* recordedRequests(
  file: string,
  signal: SignalKind | undefined,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Recorded> {
  const raw = createReadStream(file);
  await once(raw, 'open').catch(() => {
    throw new CliError(`no file ${file}`, 'name a file of the Collector’s file exporter');
  });
  const input = readable(file, await inflated(file, Readable.from(counted(raw, onBytes))));
  let number = 0;
  if (signal === undefined && !(await isFramed(file))) {
    for await (const line of linesOf(input)) {
      number += 1;
      if (line.trim() !== '') yield { number, ...readOf(() => encodeJson(line)) };
    }
    return;
  }
  for await (const message of messagesOf(input, file)) {
    number += 1;
    const read = () => {
      if (message === undefined) throw new Error('the file ends in the middle of it');
      const bytes = message.readUInt32BE(0) === ZSTD_MAGIC ? zstdDecompressSync(message) : message;
      return signal === undefined ? encodeJson(bytes.toString('utf8')) : [{ signal, bytes }];
    };
    yield { number, ...readOf(read) };
  }
}

function readOf(read: () => readonly SignalRequest[]) {
  try {
    return { requests: read() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether each message is compressed by itself behind its length, as the exporter's `compression: zstd` does. */
async function isFramed(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    return bytesRead === 8 && buffer.readUInt32BE(4) === ZSTD_MAGIC;
  } finally {
    await handle.close();
  }
}

async function* counted(raw: AsyncIterable<Buffer>, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of raw) {
    onBytes(chunk.length);
    yield chunk;
  }
}

/** What a file holds. @throws {CliError} where it is not what its name says, or is cut. */
async function* readable(file: string, input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* input;
  } catch (cause) {
    const error = new CliError(
      `${file} cannot be read to its end: ${cause instanceof Error ? cause.message : String(cause)}`,
      'it is no .gz or .zst, or is cut: copy it again, or name it as what it is',
    );
    error.cause = cause;
    throw error;
  }
}

async function inflated(file: string, raw: Readable): Promise<AsyncIterable<Buffer>> {
  if (file.endsWith('.gz')) return unpacked(raw, createGunzip());
  if (file.endsWith('.zst') && !(await isFramed(file))) return unpacked(raw, createZstdDecompress());
  return raw;
}

/** An error of the stream is thrown to who reads it, also when it comes while nobody does. */
function unpacked(raw: Readable, stream: Transform): AsyncIterable<Buffer> {
  raw.on('error', (error) => stream.destroy(error));
  stream.on('error', () => undefined);
  return raw.pipe(stream);
}

/** Lines, whatever the pieces. A line may be megabytes long: it is put together once. */
async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest: string[] = [];
  for await (const chunk of input) {
    const parts = decoder.write(chunk).split('\n');
    for (const part of parts.slice(0, -1)) {
      yield [...rest, part].join('');
      rest = [];
    }
    rest.push(parts.at(-1)!);
  }
  const last = rest.join('');
  if (last !== '') yield last;
}

/** Messages behind their lengths; at last `undefined`, where the file ends in the middle of one. */
async function* messagesOf(input: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer | undefined> {
  let held = Buffer.alloc(0);
  for await (const chunk of input) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4) {
      const length = held.readUInt32BE(0);
      if (length > MESSAGE_BYTES_MAX) {
        throw new CliError(`${file} holds no messages behind their length`, 'leave out --signal for OTLP/JSON lines');
      }
      if (held.length < 4 + length) break;
      if (length >= 4) yield held.subarray(4, 4 + length);
      held = held.subarray(4 + length);
    }
  }
  if (held.length > 0) yield undefined;
}
