import protobuf from 'protobufjs';
import { TRAFFIC_ATTRIBUTE } from './traffic.ts';

/** Of OTLP what the traffic of this test uses, for a decoder that is not ours; fields as in opentelemetry-proto. */
const SCHEMA = `
syntax = "proto3";
message AnyValue { string string_value = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Status { int32 code = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; Status status = 15;
}
message Point { fixed64 time_unix_nano = 3; double as_double = 4; sfixed64 as_int = 6; }
message Points { repeated Point data_points = 1; }
message Metric { string name = 1; Points gauge = 5; Points sum = 7; }
message LogRecord { fixed64 time_unix_nano = 1; int32 severity_number = 2; AnyValue body = 5; }
message ScopeSpans { repeated Span items = 2; }
message ScopeMetrics { repeated Metric items = 2; }
message ScopeLogs { repeated LogRecord items = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopes = 2; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scopes = 2; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scopes = 2; }
message Spans { repeated ResourceSpans resources = 1; }
message Metrics { repeated ResourceMetrics resources = 1; }
message Logs { repeated ResourceLogs resources = 1; }
`;
const { root } = protobuf.parse(SCHEMA);

/** A resource of a raw record, with all that it holds. */
export interface RawResource<Item> {
  /** Id of the request that brought it; '' when it was no `Traffic`. */
  readonly request: string;
  readonly environment: string;
  readonly service: string;
  readonly items: readonly Item[];
}

/** A span; times in whole ms, as they were sent. */
export interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startMs: number;
  readonly timeMs: number;
  readonly isError: boolean;
}

/** A point of a gauge or of a total. */
export interface RawPoint {
  readonly metric: string;
  readonly isTotal: boolean;
  readonly timeMs: number;
  readonly value: number;
}

export interface RawLog {
  readonly severity: number;
  readonly text: string;
  readonly timeMs: number;
}

interface Decoded {
  readonly resources?: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue: string } }[] };
    readonly scopes: readonly { readonly items: readonly Record<string, never>[] }[];
  }[];
}

/** Reads raw records of one kind. */
function readerOf<Item>(type: string, itemsOf: (item: Record<string, never>) => readonly Item[]) {
  const message = root.lookupType(type);
  return (value: Uint8Array): readonly RawResource<Item>[] => {
    const { resources = [] } = message.toObject(message.decode(value), { longs: String }) as Decoded;
    return resources.map(({ resource, scopes }) => {
      const of = (name: string) => resource.attributes.find(({ key }) => key === name)?.value.stringValue ?? '';
      const about = { environment: of('deployment.environment.name'), service: of('service.name') };
      const items = scopes.flatMap((scope) => scope.items).flatMap(itemsOf);
      return { request: of(TRAFFIC_ATTRIBUTE), ...about, items };
    });
  };
}

const msOf = (nanos: string) => Number(BigInt(nanos) / 1_000_000n);
const hexOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

interface DecodedSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId?: Uint8Array;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code?: number };
}

export const readSpans = readerOf<RawSpan>('Spans', (item) => {
  const span = item as unknown as DecodedSpan;
  const ids = { traceId: hexOf(span.traceId), spanId: hexOf(span.spanId), parentSpanId: hexOf(span.parentSpanId) };
  const times = { startMs: msOf(span.startTimeUnixNano), timeMs: msOf(span.endTimeUnixNano) };
  return [{ ...ids, ...times, name: span.name, kind: span.kind, isError: span.status?.code === 2 }];
});

interface DecodedPoints {
  readonly dataPoints: readonly { timeUnixNano: string; asDouble?: number; asInt?: string }[];
}

export const readPoints = readerOf<RawPoint>('Metrics', (item) => {
  const { name, gauge, sum } = item as unknown as { name: string; gauge?: DecodedPoints; sum?: DecodedPoints };
  return (gauge ?? sum)!.dataPoints.map(({ timeUnixNano, asDouble, asInt }) => {
    const value = Number(asInt ?? asDouble ?? 0);
    return { metric: name, isTotal: sum !== undefined, timeMs: msOf(timeUnixNano), value };
  });
});

export const readLogs = readerOf<RawLog>('Logs', (item) => {
  const log = item as unknown as { severityNumber: number; body: { stringValue: string }; timeUnixNano: string };
  return [{ severity: log.severityNumber, text: log.body.stringValue, timeMs: msOf(log.timeUnixNano) }];
});
