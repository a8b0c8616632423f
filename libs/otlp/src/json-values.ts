import { WireWriter } from '@flyball/core';

/** A value as OTLP/JSON writes it: one of these keys. */
export interface JsonValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number | string;
  readonly arrayValue?: { readonly values?: readonly JsonValue[] };
  readonly kvlistValue?: { readonly values?: readonly JsonAttribute[] };
  readonly bytesValue?: string;
}

/** An attribute as OTLP/JSON writes it. */
export interface JsonAttribute {
  readonly key?: string;
  readonly value?: JsonValue;
}

/** An enum by its number; OTLP/JSON asks for that, and some senders write the name. */
export type JsonEnum = number | string;

/** Number of an enum value. @param names - by number. @throws {JsonFlaw} for a name that is none. */
export function enumOf(value: JsonEnum, names: readonly string[]): number {
  if (typeof value === 'number' && Math.abs(value) < 2 ** 31 && Number.isInteger(value)) return value;
  const number = names.indexOf(value as string);
  if (number < 0) throw new JsonFlaw(`${JSON.stringify(value)} is none of ${names.filter(Boolean).join(', ')}`);
  return number;
}

/** A resource as OTLP/JSON writes it. */
export interface JsonResource {
  readonly attributes?: readonly JsonAttribute[];
}

/** A scope as OTLP/JSON writes it. */
export interface JsonScope {
  readonly name?: string;
  readonly version?: string;
}

/** Depth of nested values that is followed. */
const DEPTH_MAX = 32;

/** A value that is not what belongs in its place; the message says why. */
export class JsonFlaw extends Error {}

/** Writes attributes as a repeated field. */
export function attributes(
  writer: WireWriter,
  field: number,
  list: readonly JsonAttribute[] = [],
  depth = 0,
): WireWriter {
  for (const { key, value } of list) {
    const attribute = new WireWriter().text(1, jsonText('key', key));
    if (value !== undefined) attribute.bytes(2, encodeValue(value, depth));
    writer.bytes(field, attribute.finish());
  }
  return writer;
}

/** A value as AnyValue. @throws {JsonFlaw} for a number that is none, and where it is nested too deeply. */
export function encodeValue(value: JsonValue, depth = 0): Uint8Array {
  if (depth > DEPTH_MAX) throw new JsonFlaw('values are nested too deeply');
  if (typeof value !== 'object') throw new JsonFlaw('a value is an object, such as {"stringValue": "…"}');
  const writer = new WireWriter();
  if (value.stringValue !== undefined) writer.bytes(1, new TextEncoder().encode(value.stringValue));
  else if (value.boolValue !== undefined) writer.varint(2, value.boolValue ? 1 : 0);
  else if (value.intValue !== undefined) writer.varint(3, wholeOf('intValue', value.intValue));
  else if (value.doubleValue !== undefined) writer.double(4, Number(value.doubleValue));
  else if (value.arrayValue !== undefined) {
    const list = new WireWriter();
    for (const each of value.arrayValue.values ?? []) list.bytes(1, encodeValue(each, depth + 1));
    writer.bytes(5, list.finish());
  } else if (value.kvlistValue !== undefined) {
    writer.bytes(6, attributes(new WireWriter(), 1, value.kvlistValue.values, depth + 1).finish());
  } else if (value.bytesValue !== undefined) {
    writer.bytes(
      7,
      Uint8Array.from(atob(value.bytesValue), (character) => character.charCodeAt(0)),
    );
  }
  return writer.finish();
}

/** A text. @throws {JsonFlaw} for what is none. */
export function jsonText(name: string, value: unknown = ''): string {
  if (typeof value !== 'string') throw new JsonFlaw(`${name} is no text`);
  return value;
}

/** A whole number of 64 bits, with a sign or without. @throws {JsonFlaw} for what is none. */
export function wholeOf(name: string, value: number | string = 0): bigint {
  const isWhole = typeof value === 'number' ? Number.isInteger(value) : /^-?\d{1,20}$/.test(value);
  const whole = isWhole ? BigInt(value) : 2n ** 64n;
  if (whole >= 2n ** 64n || whole < -(2n ** 63n)) throw new JsonFlaw(`${name} is no whole number of 64 bits`);
  return whole;
}

/** Whole and not negative: a time in ns, a count. @throws {JsonFlaw} for what is none. */
export function naturalOf(name: string, value?: number | string): bigint {
  const whole = wholeOf(name, value);
  if (whole < 0n) throw new JsonFlaw(`${name} is negative`);
  return whole;
}

/** An id. @throws {JsonFlaw} when it is not hex. */
export function hex(text = ''): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new JsonFlaw('an id is not hex');
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}
