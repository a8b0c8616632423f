import { WireReader, WireWriter } from '@flyball/core';
import { ITEM_LEVELS } from './without-items.ts';

/** Most bytes of a tag and a length. */
const PREFIX_BYTES = 6;

/**
 * A request as several, each of at most so many bytes, that hold the same items under the same resources, scopes and
 * metrics: a log takes records of bounded size. A request that fits is returned as it is. Left whole is a single item that is larger,
 * and whatever has attributes that fill half a part by themselves: said again with every item, they would fill the memory.
 * Each part is made when it is asked for, so that nobody need hold all of them.
 */
export function splitRequest(
  bytes: Uint8Array,
  signal: keyof typeof ITEM_LEVELS,
  bytesMax: number,
): Iterable<Uint8Array> {
  return bytes.length <= bytesMax ? [bytes] : split(bytes, ITEM_LEVELS[signal], bytesMax);
}

/** One value of a field along which a message is split. */
interface Element {
  readonly field: number;
  readonly bytes: Uint8Array;
}

/** Splits a message along the fields of its level. Everything else in it is said in every part. */
function* split(
  message: Uint8Array,
  [fields = [], ...below]: readonly (readonly number[])[],
  bytesMax: number,
): Generator<Uint8Array> {
  const reader = new WireReader('OTLP_MALFORMED');
  reader.reset(message);
  const elements: Element[] = [];
  const frame = new WireWriter();
  for (let start = reader.at; reader.next(message.length); start = reader.at) {
    const { field } = reader;
    if (!fields.includes(field)) {
      reader.skip(message.length);
      frame.raw(message.subarray(start, reader.at));
      continue;
    }
    elements.push({ field, bytes: reader.bytesField(message.length) });
  }
  const said = frame.finish();
  if (said.length > bytesMax / 2) {
    yield message;
    return;
  }
  const room = bytesMax - said.length;
  let part: Element[] = [];
  let size = 0;
  const close = () => {
    const closed = part;
    part = [];
    size = 0;
    return WireWriter.encode((writer) => {
      writer.raw(said);
      for (const { field, bytes } of closed) writer.bytes(field, bytes);
    });
  };
  for (const { field, bytes } of elements) {
    const isTooLarge = bytes.length + PREFIX_BYTES > room && below.length > 0;
    for (const piece of isTooLarge ? split(bytes, below, room - PREFIX_BYTES) : [bytes]) {
      if (size > 0 && size + piece.length + PREFIX_BYTES > room) yield close();
      part.push({ field, bytes: piece });
      size += piece.length + PREFIX_BYTES;
    }
  }
  if (size > 0) yield close();
}
