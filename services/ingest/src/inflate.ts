import { AppError } from '@flyball/core';
import { createGunzip, gunzipSync } from 'node:zlib';
import { Assembly } from './assembly.ts';
import { COMING_WEIGHT, type Intake } from './intake.ts';

/** Below these sizes, before and after, a stream costs more than it saves. */
const SYNC_PACKED_BYTES_MAX = 64 * 1024;
const SYNC_BYTES_MAX = 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** A body that is refused before anybody looked at its data. */
export class BodyRefusal extends Error {
  /** Whether it is larger than a request may be; else it is not what it says it is. */
  readonly isTooLarge: boolean;

  constructor(isTooLarge: boolean, message: string) {
    super(message);
    this.isTooLarge = isTooLarge;
  }
}

/**
 * Unpacks a gzip body. What it unpacks to is held by `intake`, so that many bodies together stay within one budget.
 *
 * @param bytesMax - most bytes that it may unpack to.
 * @throws {BodyRefusal} it unpacks to more, or is not gzip, or is cut.
 * @throws {UnavailableError} `INGEST_OVERLOADED`: others hold so much that there is no room now.
 */
export async function inflate(body: Buffer, bytesMax: number, intake: Intake): Promise<Uint8Array> {
  if (body.length <= SYNC_PACKED_BYTES_MAX) {
    const small = inflateSmall(body, Math.min(bytesMax, SYNC_BYTES_MAX));
    if (small !== undefined) return small;
  }
  intake.hold(CHUNK_BYTES); // What the stream works in.
  const whole = new Assembly(bytesMax);
  let last: Buffer | undefined;
  const stream = createGunzip({ chunkSize: CHUNK_BYTES });
  stream.end(body);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (whole.size + chunk.length > bytesMax) {
        throw new BodyRefusal(true, `request is larger than ${bytesMax} bytes when decompressed`);
      }
      intake.hold(COMING_WEIGHT * chunk.length);
      whole.add(chunk);
      // One chunk after another is written to the same buffer until that is full: then nobody needs it any more.
      if (last !== undefined && last.buffer !== chunk.buffer) (last.buffer as ArrayBuffer).transfer(0);
      last = chunk;
    }
  } catch (error) {
    whole.discard();
    if (error instanceof BodyRefusal || error instanceof AppError) throw error;
    throw notGzip();
  }
  return whole.finish();
}

/** What a small body holds; `undefined` where that is not small. */
function inflateSmall(body: Buffer, bytesMax: number): Uint8Array | undefined {
  try {
    return gunzipSync(body, { maxOutputLength: bytesMax });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw notGzip();
  }
}

function notGzip(): BodyRefusal {
  return new BodyRefusal(false, 'body is not gzip, or is cut');
}
