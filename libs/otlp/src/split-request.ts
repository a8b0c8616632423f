import { WireReader, WireWriter } from '@flyball/core';

/** Resources in the request, scopes in those, spans, metrics or log records in those: at each level the field that repeats. */
const LEVELS = [1, 2, 2];
/** Most bytes of a tag and a length. */
const PREFIX_BYTES = 6;

/**
 * A request of any signal as several, each of at most so many bytes, that hold the same items under the same resources and scopes:
 * a log takes records of bounded size. A request that fits is returned as it is. Left whole is a single item that is larger,
 * and whatever has attributes that fill half a part by themselves: said again with every item, they would fill the memory.
 * Each part is made when it is asked for, so that nobody need hold all of them.
 */
export function splitRequest(bytes: Uint8Array, bytesMax: number): Iterable<Uint8Array> {
  return bytes.length <= bytesMax ? [bytes] : split(bytes, LEVELS, bytesMax);
}

/** Splits a message along its repeated field. Everything else in it is said in every part. */
function* split(
  message: Uint8Array,
  [repeated = 0, ...below]: readonly number[],
  bytesMax: number,
): Generator<Uint8Array> {
  const reader = new WireReader('OTLP_MALFORMED');
  reader.reset(message);
  const elements: Uint8Array[] = [];
  const frame = new WireWriter();
  for (let start = reader.at; reader.next(message.length); start = reader.at) {
    const { field } = reader;
    if (field !== repeated) {
      reader.skip(message.length);
      frame.raw(message.subarray(start, reader.at));
      continue;
    }
    elements.push(reader.bytesField(message.length));
  }
  const said = frame.finish();
  if (said.length > bytesMax / 2) {
    yield message;
    return;
  }
  const room = bytesMax - said.length;
  let part: Uint8Array[] = [];
  let size = 0;
  const close = () => {
    const closed = part;
    part = [];
    size = 0;
    return WireWriter.encode((writer) => {
      writer.raw(said);
      for (const element of closed) writer.bytes(repeated, element);
    });
  };
  for (const element of elements) {
    const isTooLarge = element.length + PREFIX_BYTES > room && below.length > 0;
    for (const piece of isTooLarge ? split(element, below, room - PREFIX_BYTES) : [element]) {
      if (size > 0 && size + piece.length + PREFIX_BYTES > room) yield close();
      part.push(piece);
      size += piece.length + PREFIX_BYTES;
    }
  }
  if (size > 0) yield close();
}
