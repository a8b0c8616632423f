import { RejectedError, WireWriter } from '@flyball/core';

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

/** Number of an enum value. @param names - by number. @throws {RangeError} for a name that is none. */
export function enumOf(value: JsonEnum, names: readonly string[]): number {
  if (typeof value === 'number') return value;
  const number = names.indexOf(value);
  if (number < 0) throw new RangeError(`${value} is none of ${names.join(', ')}`);
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

/** Resources with scopes with items, as all three requests are built. `itemsOf` gives a scope's items as messages. */
export function encodeResources<Scoped extends { readonly scope?: JsonScope; readonly schemaUrl?: string }>(
  resources: readonly {
    readonly resource?: JsonResource;
    readonly scopes: readonly Scoped[];
    readonly schemaUrl?: string;
  }[],
  itemsOf: (scoped: Scoped) => readonly Uint8Array[],
): Uint8Array {
  const request = new WireWriter();
  try {
    for (const { resource, scopes, schemaUrl = '' } of resources) {
      const writer = new WireWriter();
      if (resource !== undefined) writer.bytes(1, attributes(new WireWriter(), 1, resource.attributes).finish());
      for (const scoped of scopes) {
        const group = new WireWriter();
        const { name = '', version = '' } = scoped.scope ?? {};
        if (scoped.scope !== undefined) group.bytes(1, new WireWriter().text(1, name).text(2, version).finish());
        for (const item of itemsOf(scoped)) group.bytes(2, item);
        writer.bytes(2, group.text(3, scoped.schemaUrl ?? '').finish());
      }
      request.bytes(1, writer.text(3, schemaUrl).finish());
    }
  } catch (cause) {
    throw new RejectedError('OTLP_JSON_INVALID', 'not OTLP/JSON', { cause });
  }
  return request.finish();
}

/** Writes attributes as a repeated field. */
export function attributes(
  writer: WireWriter,
  field: number,
  list: readonly JsonAttribute[] = [],
  depth = 0,
): WireWriter {
  for (const { key = '', value } of list) {
    const attribute = new WireWriter().text(1, key);
    if (value !== undefined) attribute.bytes(2, encodeValue(value, depth));
    writer.bytes(field, attribute.finish());
  }
  return writer;
}

/** A value as AnyValue. @throws {RangeError} for a number that is none, and where it is nested too deeply. */
export function encodeValue(value: JsonValue, depth = 0): Uint8Array {
  if (depth > DEPTH_MAX) throw new RangeError('values are nested too deeply');
  const writer = new WireWriter();
  if (value.stringValue !== undefined) writer.bytes(1, new TextEncoder().encode(value.stringValue));
  else if (value.boolValue !== undefined) writer.varint(2, value.boolValue ? 1 : 0);
  else if (value.intValue !== undefined) writer.varint(3, BigInt(value.intValue));
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

/** An id. @throws {RangeError} when it is not hex. */
export function hex(text = ''): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new RangeError('an id is not hex');
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}
