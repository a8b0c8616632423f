import { WireWriter } from '@flyball/core';

/** A span as a test writes it. */
export interface TestSpan {
  readonly service?: string;
  readonly version?: string;
  readonly instance?: string;
  readonly environment?: string;
  readonly name?: string;
  /** See `SPAN_KIND`; default 2, server. */
  readonly kind?: number;
  readonly isError?: boolean;
  /** 16 hex digits; default none. */
  readonly parentId?: string;
  readonly endMs: number;
  readonly durationUs?: number;
  /** 32 hex digits; default all 1. */
  readonly traceId?: string;
  readonly spanId?: string;
}

/** A serialised ExportTraceServiceRequest with one resource per span, written by hand: an oracle must not share code with what it checks. */
export function traceRequest(spans: readonly TestSpan[]): Uint8Array {
  const request = new WireWriter();
  for (const span of spans) {
    const resource = new WireWriter();
    const attribute = (key: string, value: string | undefined) => {
      if (value === undefined) return;
      resource.bytes(1, new WireWriter().text(1, key).bytes(2, new WireWriter().text(1, value).finish()).finish());
    };
    attribute('service.name', span.service ?? 'checkout');
    attribute('service.version', span.version);
    attribute('service.instance.id', span.instance);
    attribute('deployment.environment.name', span.environment);
    const scope = new WireWriter().bytes(2, spanBytes(span)).finish();
    request.bytes(1, new WireWriter().bytes(1, resource.finish()).bytes(2, scope).finish());
  }
  return request.finish();
}

function spanBytes(span: TestSpan): Uint8Array {
  const endNs = BigInt(span.endMs) * 1_000_000n;
  const writer = new WireWriter()
    .bytes(1, hex(span.traceId ?? '1'.repeat(32)))
    .bytes(2, hex(span.spanId ?? '1'.repeat(16)));
  if (span.parentId !== undefined) writer.bytes(4, hex(span.parentId));
  writer.text(5, span.name ?? 'GET /').varint(6, span.kind ?? 2);
  writer.fixed64(7, endNs - BigInt(span.durationUs ?? 1_000) * 1_000n).fixed64(8, endNs);
  if (span.isError) writer.bytes(15, new WireWriter().varint(3, 2).finish());
  return writer.finish();
}

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}
