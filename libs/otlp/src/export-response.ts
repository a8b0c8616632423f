import { WireReader, WireWriter } from '@flyball/core';

/** What a client is told of a request that was taken: how many items were not, and why. */
export interface PartialSuccess {
  /** Spans, data points or log records. */
  readonly rejected: number;
  /** '' when nothing is to be said. With 0 rejected it is a warning. */
  readonly message: string;
}

/**
 * An Export{Trace,Metrics,Logs}ServiceResponse: all three have one form. `partial_success` is unset on full success.
 *
 * Source: opentelemetry-proto, specification.md, "Full Success" and "Partial Success".
 */
export function encodeExportResponse({ rejected, message }: PartialSuccess): Uint8Array {
  if (rejected === 0 && message === '') return new Uint8Array(0);
  return new WireWriter().bytes(1, new WireWriter().varint(1, rejected).text(2, message).finish()).finish();
}

/**
 * Reads an answer of {@link encodeExportResponse}.
 *
 * @throws {RejectedError} `OTLP_MALFORMED` when the server's answer cannot be read.
 */
export function decodeExportResponse(bytes: Uint8Array): PartialSuccess {
  const reader = new WireReader('OTLP_MALFORMED');
  reader.reset(bytes);
  let [rejected, message] = [0, ''];
  while (reader.next(bytes.length)) {
    if (reader.field !== 1) {
      reader.skip(bytes.length);
      continue;
    }
    const end = reader.lengthEnd(bytes.length);
    while (reader.next(end)) {
      if (reader.field === 1) rejected = reader.varintField(end);
      else if (reader.field === 2) {
        const textEnd = reader.lengthEnd(end);
        message = new TextDecoder().decode(bytes.subarray(reader.at, textEnd));
        reader.at = textEnd;
      } else reader.skip(end);
    }
  }
  return { rejected, message };
}
