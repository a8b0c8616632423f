import { hexOf, type WireReader } from '@flyball/core';
import type { ResourceScan } from './resource-scan.ts';

/** Nested values are followed so deep; below that a value is `…`. */
const DEPTH_MAX = 4;

/**
 * Reads the value of an attribute or of a log's body as one text: scalars as they are written, arrays as `[a,b]`, maps as
 * `{key=value}`, bytes in hex.
 *
 * Source: opentelemetry-proto, common.proto, `AnyValue`.
 */
export function readValue(reader: WireReader, texts: ResourceScan, end: number, depth = 0): string {
  let text = '';
  while (reader.next(end)) {
    switch (reader.field) {
      case 1:
        text = texts.textField(end);
        break;
      case 2:
        text = reader.varintField(end) === 0 ? 'false' : 'true';
        break;
      case 3:
        text = signedOf(reader.varintField(end));
        break;
      case 4:
        text = String(reader.doubleField(end));
        break;
      case 5:
        text = `[${readList(reader, texts, { end: reader.lengthEnd(end), depth }).join(',')}]`;
        break;
      case 6:
        text = `{${readPairs(reader, texts, { end: reader.lengthEnd(end), depth }).join(',')}}`;
        break;
      case 7: {
        const bytesEnd = reader.lengthEnd(end);
        text = hexOf(reader.bytes, reader.at, Math.min(64, bytesEnd - reader.at));
        reader.at = bytesEnd;
        break;
      }
      default:
        reader.skip(end);
    }
  }
  return text;
}

/** Reads one KeyValue that ends at `end`. */
export function readAttribute(reader: WireReader, texts: ResourceScan, end: number): readonly [string, string] {
  return readPair(reader, texts, { end, depth: 0 });
}

interface Within {
  readonly end: number;
  readonly depth: number;
}

function readPair(reader: WireReader, texts: ResourceScan, { end, depth }: Within): readonly [string, string] {
  let [key, value] = ['', ''];
  while (reader.next(end)) {
    if (reader.field === 1) key = texts.textField(end);
    else if (reader.field === 2) value = readValue(reader, texts, reader.lengthEnd(end), depth);
    else reader.skip(end);
  }
  return [key, value];
}

function readList(reader: WireReader, texts: ResourceScan, { end, depth }: Within): string[] {
  const values: string[] = [];
  while (reader.next(end)) {
    if (reader.field !== 1) reader.skip(end);
    else if (depth >= DEPTH_MAX) {
      reader.at = reader.lengthEnd(end);
      values.push('…');
    } else values.push(readValue(reader, texts, reader.lengthEnd(end), depth + 1));
  }
  return values;
}

function readPairs(reader: WireReader, texts: ResourceScan, { end, depth }: Within): string[] {
  const values: string[] = [];
  while (reader.next(end)) {
    if (reader.field !== 1) reader.skip(end);
    else if (depth >= DEPTH_MAX) {
      reader.at = reader.lengthEnd(end);
      values.push('…');
    } else values.push(readPair(reader, texts, { end: reader.lengthEnd(end), depth: depth + 1 }).join('='));
  }
  return values;
}

/** An int64 as text. Varints are read as doubles: a negative one of ten bytes is 2^64 less its size, exact to 2^53. */
function signedOf(value: number): string {
  return String(value >= 2 ** 63 ? value - 2 ** 64 : value);
}
