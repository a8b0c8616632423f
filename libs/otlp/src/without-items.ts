import { WireReader, WireWriter } from '@flyball/core';

/**
 * Fields to descend into, level by level, the last of which holds the items: resources, scopes, spans or log records; of
 * metrics the kinds of data, and their points.
 */
export const ITEM_LEVELS = {
  traces: [[1], [2], [2]],
  metrics: [[1], [2], [2], [5, 7, 9, 10, 11], [1]],
  logs: [[1], [2], [2]],
} as const satisfies Record<string, readonly (readonly number[])[]>;

/**
 * A request without some of its items; everything else stays byte for byte. For the rare request that holds invalid
 * items among good ones.
 *
 * @param drop - told the index of each item, in the order of the scan.
 */
export function withoutItems(
  bytes: Uint8Array,
  signal: keyof typeof ITEM_LEVELS,
  drop: (item: number) => boolean,
): Uint8Array {
  const reader = new WireReader('OTLP_MALFORMED');
  reader.reset(bytes);
  let item = 0;

  const copy = (end: number, [fields, ...below]: readonly (readonly number[])[]): Uint8Array => {
    const writer = new WireWriter();
    for (let start = reader.at; reader.next(end); start = reader.at) {
      const { field } = reader;
      if (!fields!.includes(field)) {
        reader.skip(end);
        writer.raw(bytes.subarray(start, reader.at));
        continue;
      }
      const valueEnd = reader.lengthEnd(end);
      if (below.length > 0) {
        writer.bytes(field, copy(valueEnd, below));
        continue;
      }
      reader.at = valueEnd;
      if (!drop(item)) writer.raw(bytes.subarray(start, valueEnd));
      item += 1;
    }
    return writer.finish();
  };
  return copy(bytes.length, ITEM_LEVELS[signal]);
}
