import { Interner } from './interner.ts';
import { WireReader } from '@flyball/core';

/** What a resource says of itself; '' where it says nothing. */
export interface ScannedResource {
  /** `service.name`. */
  readonly service: string;
  /** `deployment.environment.name`, else the deprecated `deployment.environment`. */
  readonly environment: string;
  /** `service.version`. */
  readonly version: string;
  /** `service.instance.id`, else `k8s.pod.name`. */
  readonly instance: string;
}

/** Span kinds. Source: opentelemetry-proto, trace.proto, `Span.SpanKind`. */
export const SPAN_KIND = { unspecified: 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

/** Why a span is invalid, or that it is not. Source: trace.proto on `trace_id` and `span_id`. */
export const SPAN_FLAW = { none: 0, traceId: 1, spanId: 2 } as const;

/** Names are forgotten between two requests when there are more than so many, or so many bytes: memory stays bounded. */
const NAMES_MAX = 65_536;
const NAME_BYTES_MAX = 4 * 1024 * 1024;
/** A name or a value that we read is cut after so many bytes: a window holds hundreds, and must fit a record of the log. */
const TEXT_BYTES_MAX = 1_024;
const STATUS_ERROR = 2;
const TRACE_ID_BYTES = 16;
const HEX_CODES = [...'0123456789abcdef'].map((digit) => digit.charCodeAt(0));
const hexCodes = new Array<number>(2 * TRACE_ID_BYTES).fill(0);
const SPAN_ID_BYTES = 8;
/** Places of the attributes that we read, by key. An old name fills a place only where the new one is missing. */
const RESOURCE_KEYS = new Map([
  ['service.name', 0],
  ['deployment.environment.name', 1],
  ['service.version', 2],
  ['service.instance.id', 3],
  ['deployment.environment', 4],
  ['k8s.pod.name', 5],
]);

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
  /** End minus start in whole µs, rounded down; 0 where the end is before the start. */
  durationUs = new Float64Array(256);
  /** 1 where the end is before the start. */
  isClamped = new Uint8Array(256);
  /** Where the 16 bytes of the trace id start, if the flaw is not `traceId`. */
  traceIdAt = new Uint32Array(256);
  readonly #reader = new WireReader('OTLP_MALFORMED');
  readonly #names: Interner;
  readonly #keys = new Interner();
  readonly #places: number[] = [];

  /** @param seed - for the hash of names, see {@link Interner}. */
  constructor(seed = 0) {
    this.#names = new Interner(seed);
  }

  /** Text of a span's name, cut after 1 KiB, as are all texts of a resource. */
  nameOf(span: number): string {
    return this.#names.text(this.name[span]!);
  }

  /** Trace id of a span, 32 lower-case hex digits. */
  traceIdOf(span: number): string {
    const { bytes } = this.#reader;
    const at = this.traceIdAt[span]!;
    for (let index = 0; index < TRACE_ID_BYTES; index += 1) {
      const byte = bytes[at + index]!;
      hexCodes[2 * index] = HEX_CODES[byte >>> 4]!;
      hexCodes[2 * index + 1] = HEX_CODES[byte & 0xf]!;
    }
    // In one piece: a text that grows digit by digit is slow to read later.
    return String.fromCharCode(...hexCodes);
  }

  /** @throws {RejectedError} `OTLP_MALFORMED` with the byte offset. Columns are then of no use. */
  read(bytes: Uint8Array): void {
    if (this.#names.size > NAMES_MAX || this.#names.bytes > NAME_BYTES_MAX) this.#names.clear();
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
    const values = ['', '', '', '', '', ''];
    while (reader.next(end)) {
      if (reader.field === 1) this.#resource(reader.lengthEnd(end), values);
      else reader.skip(end);
    }
    const [service = '', environment = '', version = '', instance = '', oldEnvironment = '', pod = ''] = values;
    this.resources.push({
      service,
      environment: environment || oldEnvironment,
      version,
      instance: instance || pod,
    });
    reader.at = start;
    while (reader.next(end)) {
      if (reader.field === 2) this.#scopeSpans(reader.lengthEnd(end));
      else reader.skip(end);
    }
  }

  #resource(end: number, values: string[]): void {
    const reader = this.#reader;
    while (reader.next(end)) {
      if (reader.field === 1) this.#attribute(reader.lengthEnd(end), values);
      else reader.skip(end);
    }
  }

  /** A KeyValue. Only string values of known keys are kept; the last of a key wins. */
  #attribute(end: number, values: string[]): void {
    const reader = this.#reader;
    let place = -1;
    let valueAt = -1;
    let valueEnd = -1;
    while (reader.next(end)) {
      if (reader.field === 1) {
        const keyEnd = reader.lengthEnd(end);
        place = this.#placeOf(reader.at, keyEnd);
        reader.at = keyEnd;
      } else if (reader.field === 2) {
        valueEnd = reader.lengthEnd(end);
        valueAt = reader.at;
        reader.at = valueEnd;
      } else reader.skip(end);
    }
    if (place < 0 || valueAt < 0) return;
    reader.at = valueAt;
    while (reader.next(valueEnd)) {
      if (reader.field === 1) {
        const textEnd = reader.lengthEnd(valueEnd);
        values[place] = this.#names.text(this.#intern(reader.at, textEnd));
        reader.at = textEnd;
      } else reader.skip(valueEnd);
    }
    reader.at = end;
  }

  /** Place of a key in {@link RESOURCE_KEYS}, or -1. */
  #placeOf(start: number, end: number): number {
    if (this.#keys.size > NAMES_MAX || this.#keys.bytes > NAME_BYTES_MAX) {
      this.#keys.clear();
      this.#places.length = 0;
    }
    const key = this.#keys.intern(this.#reader.bytes, start, end);
    return (this.#places[key] ??= RESOURCE_KEYS.get(this.#keys.text(key)) ?? -1);
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
    // Plain variables: this runs once per span.
    let nameAt = end;
    let nameEnd = end;
    let startAt = -1;
    let endAt = -1;
    let traceAt = 0;
    let traceBytes = 0;
    let spanAt = 0;
    let spanBytes = 0;
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
    this.name[span] = this.#intern(nameAt, nameEnd);
    this.kind[span] = kind > SPAN_KIND.consumer ? SPAN_KIND.unspecified : kind;
    this.isError[span] = status === STATUS_ERROR ? 1 : 0;
    this.isRoot[span] = parentBytes === 0 ? 1 : 0;
    this.traceIdAt[span] = traceAt;
    this.flaw[span] = SPAN_FLAW.none;
    if (spanBytes !== SPAN_ID_BYTES || this.#isZero(spanAt, spanBytes)) this.flaw[span] = SPAN_FLAW.spanId;
    if (traceBytes !== TRACE_ID_BYTES || this.#isZero(traceAt, traceBytes)) this.flaw[span] = SPAN_FLAW.traceId;
    this.#times(span, startAt, endAt);
    this.count += 1;
  }

  /** Number of a text, cut where it is too long, between two characters. */
  #intern(start: number, textEnd: number): number {
    const { bytes } = this.#reader;
    let end = Math.min(textEnd, start + TEXT_BYTES_MAX);
    if (end < textEnd) while (end > start && (bytes[end]! & 0xc0) === 0x80) end -= 1;
    return this.#names.intern(bytes, start, end);
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
    this.endMs[span] = endHigh * 4_294 + Math.floor((endHigh * 967_296 + endLow) / 1_000_000);
    const durationNs = (endHigh - startHigh) * 2 ** 32 + (endLow - startLow);
    this.isClamped[span] = durationNs < 0 ? 1 : 0;
    this.durationUs[span] = durationNs < 0 ? 0 : Math.floor(durationNs / 1_000);
  }

  #isZero(at: number, size: number): boolean {
    for (let index = at; index < at + size; index += 1) if (this.#reader.bytes[index] !== 0) return false;
    return true;
  }

  #grow(): void {
    const double = <T extends Uint8Array | Uint32Array | Float64Array>(column: T): T => {
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
  }
}
