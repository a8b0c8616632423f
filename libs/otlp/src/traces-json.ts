import { RejectedError, WireWriter } from '@flyball/core';

/** A value as OTLP/JSON writes it: one of these keys. */
interface JsonValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number | string;
  readonly arrayValue?: { readonly values?: readonly JsonValue[] };
  readonly kvlistValue?: { readonly values?: readonly JsonAttribute[] };
  readonly bytesValue?: string;
}

interface JsonAttribute {
  readonly key?: string;
  readonly value?: JsonValue;
}

/** A span as OTLP/JSON writes it. Unknown keys are ignored. */
interface JsonSpan {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly traceState?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: string | number;
  readonly endTimeUnixNano?: string | number;
  readonly attributes?: readonly JsonAttribute[];
  readonly events?: readonly { timeUnixNano?: string | number; name?: string; attributes?: readonly JsonAttribute[] }[];
  readonly links?: readonly { traceId?: string; spanId?: string; attributes?: readonly JsonAttribute[] }[];
  readonly status?: { readonly message?: string; readonly code?: number };
  readonly flags?: number;
}

/** Spans of one resource as OTLP/JSON writes them. */
export interface JsonResourceSpans {
  readonly resource?: { readonly attributes?: readonly JsonAttribute[] };
  readonly scopeSpans?: readonly {
    readonly scope?: { readonly name?: string; readonly version?: string };
    readonly spans?: readonly JsonSpan[];
    readonly schemaUrl?: string;
  }[];
  readonly schemaUrl?: string;
}

/** Depth of nested values that is followed. */
const DEPTH_MAX = 32;

/**
 * Resource spans of OTLP/JSON as a serialised ExportTraceServiceRequest. Ids are hex, other bytes base64, 64-bit
 * numbers decimal strings.
 *
 * Source: opentelemetry-proto, specification.md, "JSON Protobuf Encoding".
 *
 * @throws {RejectedError} `OTLP_JSON_INVALID` when a number or an id is none: name the line to whoever gave it.
 */
export function encodeTracesJson(resourceSpans: readonly JsonResourceSpans[]): Uint8Array {
  const request = new WireWriter();
  try {
    for (const { resource, scopeSpans = [], schemaUrl = '' } of resourceSpans) {
      const writer = new WireWriter();
      if (resource !== undefined) writer.bytes(1, attributes(new WireWriter(), 1, resource.attributes).finish());
      for (const { scope, spans = [], schemaUrl: scopeUrl = '' } of scopeSpans) {
        const group = new WireWriter();
        if (scope !== undefined)
          group.bytes(
            1,
            new WireWriter()
              .text(1, scope.name ?? '')
              .text(2, scope.version ?? '')
              .finish(),
          );
        for (const span of spans) group.bytes(2, encodeSpan(span));
        writer.bytes(2, group.text(3, scopeUrl).finish());
      }
      request.bytes(1, writer.text(3, schemaUrl).finish());
    }
  } catch (cause) {
    throw new RejectedError('OTLP_JSON_INVALID', 'not OTLP/JSON', { cause });
  }
  return request.finish();
}

function encodeSpan(span: JsonSpan): Uint8Array {
  const writer = new WireWriter()
    .bytes(1, hex(span.traceId))
    .bytes(2, hex(span.spanId))
    .text(3, span.traceState ?? '');
  if (span.parentSpanId) writer.bytes(4, hex(span.parentSpanId));
  writer.text(5, span.name ?? '').varint(6, span.kind ?? 0);
  writer.fixed64(7, BigInt(span.startTimeUnixNano ?? 0)).fixed64(8, BigInt(span.endTimeUnixNano ?? 0));
  attributes(writer, 9, span.attributes);
  for (const { timeUnixNano = 0, name = '', attributes: list } of span.events ?? []) {
    writer.bytes(11, attributes(new WireWriter().fixed64(1, BigInt(timeUnixNano)).text(2, name), 3, list).finish());
  }
  for (const { traceId, spanId, attributes: list } of span.links ?? []) {
    writer.bytes(13, attributes(new WireWriter().bytes(1, hex(traceId)).bytes(2, hex(spanId)), 4, list).finish());
  }
  const { status, flags } = span;
  if (status !== undefined)
    writer.bytes(
      15,
      new WireWriter()
        .text(2, status.message ?? '')
        .varint(3, status.code ?? 0)
        .finish(),
    );
  if (flags) writer.fixed32(16, flags);
  return writer.finish();
}

function attributes(writer: WireWriter, field: number, list: readonly JsonAttribute[] = [], depth = 0): WireWriter {
  for (const { key = '', value } of list) {
    const attribute = new WireWriter().text(1, key);
    if (value !== undefined) attribute.bytes(2, encodeValue(value, depth));
    writer.bytes(field, attribute.finish());
  }
  return writer;
}

function encodeValue(value: JsonValue, depth: number): Uint8Array {
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

function hex(text = ''): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new RangeError('an id is not hex');
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}
