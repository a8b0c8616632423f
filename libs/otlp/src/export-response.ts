import { WireReader } from '@flyball/core';
import { WireWriter } from '@flyball/core';

/** What a client is told of a request that was taken: how many spans were not, and why. */
export interface PartialSuccess {
  readonly rejectedSpans: number;
  /** '' when nothing is to be said. With 0 rejected it is a warning. */
  readonly message: string;
}

/**
 * An ExportTraceServiceResponse. `partial_success` is unset on full success.
 *
 * Source: opentelemetry-proto, specification.md, "Full Success" and "Partial Success".
 */
export function encodeExportResponse({ rejectedSpans, message }: PartialSuccess): Uint8Array {
  if (rejectedSpans === 0 && message === '') return new Uint8Array(0);
  return new WireWriter().bytes(1, new WireWriter().varint(1, rejectedSpans).text(2, message).finish()).finish();
}

/**
 * Reads an ExportTraceServiceResponse.
 *
 * @throws {RejectedError} `OTLP_MALFORMED` when the server's answer cannot be read.
 */
export function decodeExportResponse(bytes: Uint8Array): PartialSuccess {
  const reader = new WireReader('OTLP_MALFORMED');
  reader.reset(bytes);
  let [rejectedSpans, message] = [0, ''];
  while (reader.next(bytes.length)) {
    if (reader.field !== 1) {
      reader.skip(bytes.length);
      continue;
    }
    const end = reader.lengthEnd(bytes.length);
    while (reader.next(end)) {
      if (reader.field === 1) rejectedSpans = reader.varintField(end);
      else if (reader.field === 2) {
        const textEnd = reader.lengthEnd(end);
        message = new TextDecoder().decode(bytes.subarray(reader.at, textEnd));
        reader.at = textEnd;
      } else reader.skip(end);
    }
  }
  return { rejectedSpans, message };
}
