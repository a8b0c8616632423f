import { hexOf, WireReader } from '@flyball/core';
import { type ScannedResource, ResourceScan } from './resource-scan.ts';

/** Span kinds. Source: opentelemetry-proto, trace.proto, `Span.SpanKind`. */
export const SPAN_KIND = { unspecified: 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

/** Why a span is invalid, or that it is not. Source: trace.proto on `trace_id` and `span_id`. */
export const SPAN_FLAW = { none: 0, traceId: 1, spanId: 2 } as const;

const STATUS_ERROR = 2;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/**
 * Reads an ExportTraceServiceRequest (or several, concatenated: that is one valid request) into columns, one
 * place per span, and looks at nothing that a window does not need. Columns are reused by the next `read`.
 */
export class TraceScan {
  /** How many spans were read. Columns beyond it hold leftovers. */
  count = 0;
  resources: ScannedResource[] = [];
  /** Index into {@link resources}. */
  resource = new Uint32Array(256);
  /** Number of the span's name; its text is `nameOf`. Valid until the next `read`. */
  name = new Uint32Array(256);
  kind = new Uint8Array(256);
  /** 1 where the status code is ERROR. */
  isError = new Uint8Array(256);
  /** 1 where there is no parent. */
  isRoot = new Uint8Array(256);
  /** One of {@link SPAN_FLAW}. */
  flaw = new Uint8Array(256);
  /** End, whole ms since the Unix epoch, rounded down. */
  endMs = new Float64Array(256);
  /** End minus start in whole µs, rounded down; 0 where the end is before the start, or no start is said. */
  durationUs = new Float64Array(256);
  /** 1 where the end is before the start, or no start is said: it has not begun in 1970. */
  isClamped = new Uint8Array(256);
  /** Where the 16 bytes of the trace id start, if the flaw is not `traceId`. */
  traceIdAt = new Uint32Array(256);
  /** Where the 8 bytes of the span id start, if there is no flaw. */
  spanIdAt = new Uint32Array(256);
  /** Where the 8 bytes of the parent's span id start, if there is one. */
  parentIdAt = new Uint32Array(256);
  /** Where the span itself starts and ends. */
  spanAt = new Uint32Array(256);
  spanEnd = new Uint32Array(256);
  /** µs of the end beyond {@link endMs}, 0 to 999. */
  endRestUs = new Uint16Array(256);
  readonly #reader = new WireReader('OTLP_MALFORMED');
  readonly #texts: ResourceScan;

  /** @param seed - for the hash of names, see {@link Interner}. */
  constructor(seed = 0) {
    this.#texts = new ResourceScan(this.#reader, seed);
  }

  /** What was read; the columns that end in `At` are places in it. */
  get bytes(): Uint8Array {
    return this.#reader.bytes;
  }

  /** Text of a span's name, cut after 1 KiB, as are all texts of a resource. */
  nameOf(span: number): string {
    return this.#texts.text(this.name[span]!);
  }

  /** Trace id of a span, 32 lower-case hex digits. */
  traceIdOf(span: number): string {
    return hexOf(this.#reader.bytes, this.traceIdAt[span]!, TRACE_ID_BYTES);
  }

  /** Whom a client span says that it calls: `peer.service`, else `server.address`, else `net.peer.name`; '' for all others. */
  peerOf(span: number): string {
    if (this.kind[span] !== SPAN_KIND.client) return '';
    this.#reader.at = this.spanAt[span]!;
    return this.#texts.peer(this.spanEnd[span]!);
  }

  /** @throws {RejectedError} `OTLP_MALFORMED` with the byte offset. Columns are then of no use. */
  read(bytes: Uint8Array): void {
    this.#texts.forgetIfFull();
    const reader = this.#reader;
    reader.reset(bytes);
    this.count = 0;
    this.resources = [];
    while (reader.next(bytes.length)) {
      if (reader.field === 1) this.#resourceSpans(reader.lengthEnd(bytes.length));
      else reader.skip(bytes.length);
    }
  }

  /** Two passes: the resource may come after its spans, and more than once. */
  #resourceSpans(end: number): void {
    const reader = this.#reader;
    const start = reader.at;
    this.resources.push(this.#texts.read(end));
    reader.at = start;
    while (reader.next(end)) {
      if (reader.field === 2) this.#scopeSpans(reader.lengthEnd(end));
      else reader.skip(end);
    }
  }

  #scopeSpans(end: number): void {
    const reader = this.#reader;
    while (reader.next(end)) {
      if (reader.field === 2) this.#span(reader.lengthEnd(end));
      else reader.skip(end);
    }
  }

  #span(end: number): void {
    if (this.count === this.kind.length) this.#grow();
    const reader = this.#reader;
    const span = this.count;
    this.spanAt[span] = reader.at;
    this.spanEnd[span] = end;
    // Plain variables: this runs once per span.
    let nameAt = end;
    let nameEnd = end;
    let startAt = -1;
    let endAt = -1;
    let traceAt = 0;
    let traceBytes = 0;
    let spanAt = 0;
    let spanBytes = 0;
    let parentAt = 0;
    let parentBytes = 0;
    let kind = 0;
    let status = 0;
    while (reader.next(end)) {
      switch (reader.field) {
        case 1:
          traceBytes = this.#take(end);
          traceAt = reader.at - traceBytes;
          break;
        case 2:
          spanBytes = this.#take(end);
          spanAt = reader.at - spanBytes;
          break;
        case 4:
          parentBytes = this.#take(end);
          parentAt = reader.at - parentBytes;
          break;
        case 5:
          nameEnd = reader.lengthEnd(end);
          nameAt = reader.at;
          reader.at = nameEnd;
          break;
        case 6:
          kind = reader.varintField(end);
          break;
        case 7:
          startAt = reader.fixed64At(end);
          break;
        case 8:
          endAt = reader.fixed64At(end);
          break;
        case 15:
          status = this.#status(reader.lengthEnd(end), status);
          break;
        default:
          reader.skip(end);
      }
    }
    this.resource[span] = this.resources.length - 1;
    this.name[span] = this.#texts.intern(nameAt, nameEnd);
    this.kind[span] = kind > SPAN_KIND.consumer ? SPAN_KIND.unspecified : kind;
    this.isError[span] = status === STATUS_ERROR ? 1 : 0;
    // A parent that is no id, or all zero as some SDKs write "none", is none.
    this.isRoot[span] = parentBytes !== SPAN_ID_BYTES || this.#isZero(parentAt, parentBytes) ? 1 : 0;
    this.parentIdAt[span] = parentAt;
    this.spanIdAt[span] = spanAt;
    this.traceIdAt[span] = traceAt;
    this.flaw[span] = SPAN_FLAW.none;
    if (spanBytes !== SPAN_ID_BYTES || this.#isZero(spanAt, spanBytes)) this.flaw[span] = SPAN_FLAW.spanId;
    if (traceBytes !== TRACE_ID_BYTES || this.#isZero(traceAt, traceBytes)) this.flaw[span] = SPAN_FLAW.traceId;
    this.#times(span, startAt, endAt);
    this.count += 1;
  }

  /** Passes over a length-delimited value and returns its size. */
  #take(end: number): number {
    const valueEnd = this.#reader.lengthEnd(end);
    const size = valueEnd - this.#reader.at;
    this.#reader.at = valueEnd;
    return size;
  }

  #status(end: number, before: number): number {
    const reader = this.#reader;
    let code = before;
    while (reader.next(end)) {
      if (reader.field === 3) code = reader.varintField(end);
      else reader.skip(end);
    }
    return code;
  }

  /**
   * Exact without 64-bit numbers: 2^32 ns are 4294 ms and 967,296 ns, and the difference of two times of one
   * span is small.
   */
  #times(span: number, startAt: number, endAt: number): void {
    const reader = this.#reader;
    const startLow = startAt < 0 ? 0 : reader.low(startAt);
    const startHigh = startAt < 0 ? 0 : reader.high(startAt);
    const endLow = endAt < 0 ? 0 : reader.low(endAt);
    const endHigh = endAt < 0 ? 0 : reader.high(endAt);
    const restNs = endHigh * 967_296 + endLow;
    const restMs = Math.floor(restNs / 1_000_000);
    this.endMs[span] = endHigh * 4_294 + restMs;
    this.endRestUs[span] = Math.floor((restNs - restMs * 1_000_000) / 1_000);
    const durationNs = (endHigh - startHigh) * 2 ** 32 + (endLow - startLow);
    const isClamped = durationNs < 0 || (startLow === 0 && startHigh === 0);
    this.isClamped[span] = isClamped ? 1 : 0;
    this.durationUs[span] = isClamped ? 0 : Math.floor(durationNs / 1_000);
  }

  #isZero(at: number, size: number): boolean {
    for (let index = at; index < at + size; index += 1) if (this.#reader.bytes[index] !== 0) return false;
    return true;
  }

  #grow(): void {
    const double = <T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(column: T): T => {
      const larger = new (column.constructor as new (length: number) => T)(column.length * 2);
      larger.set(column as never);
      return larger;
    };
    this.resource = double(this.resource);
    this.name = double(this.name);
    this.kind = double(this.kind);
    this.isError = double(this.isError);
    this.isRoot = double(this.isRoot);
    this.flaw = double(this.flaw);
    this.endMs = double(this.endMs);
    this.durationUs = double(this.durationUs);
    this.isClamped = double(this.isClamped);
    this.traceIdAt = double(this.traceIdAt);
    this.spanIdAt = double(this.spanIdAt);
    this.parentIdAt = double(this.parentIdAt);
    this.endRestUs = double(this.endRestUs);
    this.spanAt = double(this.spanAt);
    this.spanEnd = double(this.spanEnd);
  }
}
