import { WireReader } from '@flyball/core';
import { realisticRequest } from './requests.ts';

/** Services of one trace: each has one span in it, and is called by the one before it. */
const SERVICES_PER_TRACE = 4;
const NS_PER_MS = 1_000_000n;

/** Where in a request the numbers are that make a span a new one. */
interface SpanPlaces {
  readonly traceId: number;
  readonly spanId: number;
  readonly parentId: number;
  readonly startNs: number;
  readonly endNs: number;
}

/** A request of one service that costs little to send again as a new one: with other times, and of other traces. */
export class RequestTemplate {
  readonly #bytes: Buffer;
  readonly #spans: readonly SpanPlaces[];
  #endMs: number;

  /** @param endMs - when its spans end, ms. `seed` names the service. */
  constructor(spans: number, endMs: number, seed: number, operations = 10) {
    this.#bytes = Buffer.from(realisticRequest(spans, endMs, seed, operations));
    this.#spans = placesOf(this.#bytes);
    this.#endMs = endMs;
  }

  /**
   * The request whose spans end at `endMs`, in bytes that the next one changes. So many in a row are one batch of traces: span
   * `n` of each calls span `n` of the next.
   *
   * @param turn - a number that no other request has.
   */
  at(turn: number, endMs: number): Buffer {
    const bytes = this.#bytes;
    const byNs = BigInt(endMs - this.#endMs) * NS_PER_MS;
    this.#endMs = endMs;
    const first = turn - (turn % SERVICES_PER_TRACE);
    for (const [index, { traceId, spanId, parentId, startNs, endNs }] of this.#spans.entries()) {
      bytes.writeUInt32BE(first + 1, traceId);
      bytes.writeUInt32BE(index, traceId + 4);
      bytes.writeUInt32BE(turn + 1, spanId);
      bytes.writeUInt32BE(index, spanId + 4);
      // The first of a trace has a caller that nobody knows: as one behind a gateway that sends no spans.
      bytes.writeUInt32BE(turn, parentId);
      bytes.writeUInt32BE(index, parentId + 4);
      bytes.writeBigUInt64LE(bytes.readBigUInt64LE(startNs) + byNs, startNs);
      bytes.writeBigUInt64LE(bytes.readBigUInt64LE(endNs) + byNs, endNs);
    }
    return bytes;
  }
}

/** Fields of `ExportTraceServiceRequest` by number: opentelemetry-proto, trace/v1/trace.proto. */
function placesOf(request: Uint8Array): SpanPlaces[] {
  const reader = new WireReader('BENCH_REQUEST');
  reader.reset(request);
  const spans: SpanPlaces[] = [];
  into(reader, request.length, 1, (resourceEnd) =>
    into(reader, resourceEnd, 2, (scopeEnd) =>
      into(reader, scopeEnd, 2, (spanEnd) => {
        const places = new Map<number, number>();
        while (reader.next(spanEnd)) {
          const { field } = reader;
          const isBytes = field <= 4;
          places.set(field, isBytes ? (reader.lengthEnd(spanEnd), reader.at) : reader.at);
          if (isBytes) reader.at += field === 1 ? 16 : 8;
          else reader.skip(spanEnd);
        }
        const [traceId, spanId, parentId, startNs, endNs] = [1, 2, 4, 7, 8].map((field) => places.get(field)!);
        spans.push({ traceId: traceId!, spanId: spanId!, parentId: parentId!, startNs: startNs!, endNs: endNs! });
      }),
    ),
  );
  return spans;
}

/** Calls `work` with the end of each field of this number, at its start; passes over all others. */
function into(reader: WireReader, end: number, field: number, work: (end: number) => void): void {
  while (reader.next(end)) {
    if (reader.field === field) work(reader.lengthEnd(end));
    else reader.skip(end);
  }
}
