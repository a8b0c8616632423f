import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { REQUEST_ATTRIBUTE } from './chaos-request.ts';

const PROTO = new URL('../../../libs/otlp/testdata/trace.proto', import.meta.url);
/** On the wire a string is bytes; read as such, text that is no UTF-8 is no reason to refuse a whole request. */
const SCHEMA = readFileSync(PROTO, 'utf8').replaceAll(/\bstring (?=\w+ = )/g, 'bytes ');
const Request = protobuf.parse(SCHEMA).root.lookupType('ExportTraceServiceRequest');
/** Values may be nested deeper than this decoder likes by itself. */
protobuf.util.recursionLimit = protobuf.Reader.recursionLimit = 10_000;
const LENGTH_DELIMITED = 2;

/** A span as protobufjs reads it. */
interface RawSpan {
  readonly environment: string;
  readonly service: string;
  readonly endMs: number;
  readonly durationUs: number;
  readonly isError: boolean;
  /** Whether it counts as a request of its service: a server or consumer span, or the first of its trace. */
  readonly isRequest: boolean;
}

/** One resource of a record, whole: what a request of the sender is. */
export interface RawChunk {
  /** Id that the sender gave it, or '' when it is somebody else's. */
  readonly request: string;
  readonly bytes: Uint8Array;
  readonly spans: readonly RawSpan[];
}

interface Decoded {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly { key?: Uint8Array; value?: { stringValue?: Uint8Array } }[] };
    readonly scopeSpans?: readonly {
      readonly spans?: readonly {
        readonly parentSpanId?: Uint8Array;
        readonly kind?: number;
        readonly startTimeUnixNano?: string;
        readonly endTimeUnixNano?: string;
        readonly status?: { readonly code?: number };
      }[];
    }[];
  }[];
}

/** Reads a raw record with a decoder that is not ours. Returns `undefined` for what is no request. */
export function rawChunks(value: Uint8Array): readonly RawChunk[] | undefined {
  try {
    const parts = topLevel(value);
    const message = Request.toObject(Request.decode(value), { longs: String }) as Decoded;
    return (message.resourceSpans ?? []).map((resourceSpans, index) => {
      const attributes = resourceSpans.resource?.attributes ?? [];
      const of = (name: string) => textOf(attributes.find(({ key }) => textOf(key) === name)?.value?.stringValue);
      const about = { environment: of('deployment.environment.name'), service: of('service.name') };
      const spans = (resourceSpans.scopeSpans ?? []).flatMap(({ spans: list = [] }) => list);
      return {
        request: of(REQUEST_ATTRIBUTE),
        bytes: parts[index]!,
        spans: spans.map((span): RawSpan => {
          const [startNs, endNs] = [BigInt(span.startTimeUnixNano ?? 0), BigInt(span.endTimeUnixNano ?? 0)];
          const isEntry = span.kind === 2 || span.kind === 5;
          return {
            ...about,
            endMs: Number(endNs / 1_000_000n),
            durationUs: startNs > 0n && endNs > startNs ? Number((endNs - startNs) / 1_000n) : 0,
            isError: span.status?.code === 2,
            isRequest: isEntry || (span.parentSpanId?.length ?? 0) === 0,
          };
        }),
      };
    });
  } catch {
    return undefined;
  }
}

/** Invalid sequences become U+FFFD, as a browser reads them. */
function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

/** The bytes of each `resource_spans`, tag and length included. */
function topLevel(value: Uint8Array): readonly Uint8Array[] {
  const reader = protobuf.Reader.create(value);
  const parts: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const from = reader.pos;
    const tag = reader.uint32();
    reader.skipType(tag & 7);
    if (tag >>> 3 === 1 && (tag & 7) === LENGTH_DELIMITED) parts.push(value.subarray(from, reader.pos));
  }
  return parts;
}
