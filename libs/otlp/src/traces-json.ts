import { WireWriter } from '@flyball/core';
import {
  attributes,
  enumOf,
  hex,
  type JsonAttribute,
  type JsonEnum,
  type JsonResource,
  type JsonScope,
  jsonText,
  naturalOf,
} from './json-values.ts';
import { encodeResources, type OnFlaw } from './json-resources.ts';

/** Source: opentelemetry-proto, trace.proto. */
const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(
  (name) => `SPAN_KIND_${name}`,
);
const NAMES = ['resourceSpans', 'scopeSpans', 'spans'] as const;
const CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'];

/** A span as OTLP/JSON writes it. Unknown keys are ignored. */
interface JsonSpan {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly traceState?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly kind?: JsonEnum;
  readonly startTimeUnixNano?: string | number;
  readonly endTimeUnixNano?: string | number;
  readonly attributes?: readonly JsonAttribute[];
  readonly events?: readonly { timeUnixNano?: string | number; name?: string; attributes?: readonly JsonAttribute[] }[];
  readonly links?: readonly { traceId?: string; spanId?: string; attributes?: readonly JsonAttribute[] }[];
  readonly status?: { readonly message?: string; readonly code?: JsonEnum };
  readonly flags?: number;
}

/** Spans of one resource as OTLP/JSON writes them. */
export interface JsonResourceSpans {
  readonly resource?: JsonResource;
  readonly scopeSpans?: readonly {
    readonly scope?: JsonScope;
    readonly spans?: readonly JsonSpan[];
    readonly schemaUrl?: string;
  }[];
  readonly schemaUrl?: string;
}

/**
 * Resource spans of OTLP/JSON as a serialised ExportTraceServiceRequest. Ids are hex, other bytes base64, 64-bit
 * numbers decimal strings.
 *
 * Source: opentelemetry-proto, specification.md, "JSON Protobuf Encoding".
 *
 * @param onFlaw - told of spans that cannot be read: they are left out.
 * @throws {RejectedError} `OTLP_JSON_INVALID` with the place, when a number or an id is none: name it to whoever gave it.
 */
export function encodeTracesJson(resourceSpans: readonly JsonResourceSpans[], onFlaw?: OnFlaw): Uint8Array {
  const scopesOf = ({ scopeSpans = [] }: JsonResourceSpans) => scopeSpans;
  const itemsOf = ({ spans = [] }: ReturnType<typeof scopesOf>[number]) => spans;
  return encodeResources(resourceSpans, { names: NAMES, scopesOf, itemsOf, encode: encodeSpan }, onFlaw);
}

function encodeSpan(span: JsonSpan): Uint8Array {
  const writer = new WireWriter()
    .bytes(1, hex(span.traceId))
    .bytes(2, hex(span.spanId))
    .text(3, jsonText('traceState', span.traceState));
  if (span.parentSpanId) writer.bytes(4, hex(span.parentSpanId));
  writer.text(5, jsonText('name', span.name)).varint(6, enumOf(span.kind ?? 0, KINDS));
  writer.fixed64(7, naturalOf('startTimeUnixNano', span.startTimeUnixNano));
  writer.fixed64(8, naturalOf('endTimeUnixNano', span.endTimeUnixNano));
  attributes(writer, 9, span.attributes);
  for (const { timeUnixNano = 0, name, attributes: list } of span.events ?? []) {
    writer.bytes(
      11,
      attributes(
        new WireWriter().fixed64(1, naturalOf('timeUnixNano', timeUnixNano)).text(2, jsonText('name', name)),
        3,
        list,
      ).finish(),
    );
  }
  for (const { traceId, spanId, attributes: list } of span.links ?? []) {
    writer.bytes(13, attributes(new WireWriter().bytes(1, hex(traceId)).bytes(2, hex(spanId)), 4, list).finish());
  }
  const { status, flags } = span;
  if (status !== undefined)
    writer.bytes(
      15,
      new WireWriter()
        .text(2, jsonText('message', status.message))
        .varint(3, enumOf(status.code ?? 0, CODES))
        .finish(),
    );
  if (flags) writer.fixed32(16, flags);
  return writer.finish();
}
