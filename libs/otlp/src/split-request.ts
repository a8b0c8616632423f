import { WireReader, WireWriter } from '@flyball/core';

/** Resources in the request, scopes in those, spans, metrics or log records in those: at each level the field that repeats. */
const LEVELS = [1, 2, 2];
/** Most bytes of a tag and a length. */
const PREFIX_BYTES = 6;

/**
 * A request of any signal as several, each of at most so many bytes, that hold the same items under the same resources and scopes:
 * a log takes records of bounded size. A request that fits is returned as it is. Left whole is a single item that is larger,
 * and whatever has attributes that fill half a part by themselves: said again with every item, they would fill the memory.
 */
export function splitRequest(bytes: Uint8Array, bytesMax: number): readonly Uint8Array[] {
  return bytes.length <= bytesMax ? [bytes] : split(bytes, LEVELS, bytesMax);
}

/** Splits a message along its repeated field. Everything else in it is said in every part. */
function split(message: Uint8Array, [repeated = 0, ...below]: readonly number[], bytesMax: number): Uint8Array[] {
  const reader = new WireReader('OTLP_MALFORMED');
  reader.reset(message);
  const parts: Uint8Array[] = [];
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
  if (said.length > bytesMax / 2) return [message];
  const room = bytesMax - said.length;
  let part = new WireWriter().raw(said);
  let size = 0;
  const close = () => {
    if (size > 0) parts.push(part.finish());
    part = new WireWriter().raw(said);
    size = 0;
  };
  const add = (element: Uint8Array) => {
    if (size > 0 && size + element.length + PREFIX_BYTES > room) close();
    part.bytes(repeated, element);
    size += element.length + PREFIX_BYTES;
  };
  for (const element of elements) {
    const isTooLarge = element.length + PREFIX_BYTES > room && below.length > 0;
    for (const piece of isTooLarge ? split(element, below, room - PREFIX_BYTES) : [element]) add(piece);
  }
  close();
  return parts;
}
