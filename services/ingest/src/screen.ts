import { SPAN_FLAW, type TraceScan, withoutSpans } from '@flyball/otlp';

/** What remains of a request, and what is to be said to its sender. */
export interface Screened {
  /** What is stored: the request as it came, or without its rejected spans. */
  readonly bytes: Uint8Array;
  readonly spans: number;
  readonly rejectedSpans: number;
  /** Why spans were rejected, or a warning; '' when there is nothing to say. */
  readonly message: string;
}

/**
 * Sorts out the spans of a scanned request that can never count: ids that identify nothing, and ends too far
 * ahead of the log's time. A request without any passes as it is, byte for byte.
 *
 * @param earlyAfterMs - instant after which a span's end is too early to be true, ms since the Unix epoch.
 */
export function screen(bytes: Uint8Array, scan: TraceScan, earlyAfterMs: number): Screened {
  const counts = { traceId: 0, spanId: 0, early: 0 };
  let latestMs = 0;
  for (let span = 0; span < scan.count; span += 1) {
    const flaw = scan.flaw[span];
    if (flaw === SPAN_FLAW.traceId) counts.traceId += 1;
    else if (flaw === SPAN_FLAW.spanId) counts.spanId += 1;
    else if (scan.endMs[span]! > earlyAfterMs) counts.early += 1;
    latestMs = Math.max(latestMs, scan.endMs[span]!);
  }
  const rejectedSpans = counts.traceId + counts.spanId + counts.early;
  if (rejectedSpans === 0) {
    const isUnnamed = scan.resources.some(({ service }) => service === '');
    const message =
      isUnnamed && scan.count > 0 ? 'a resource has no service.name: its spans count as unknown_service' : '';
    return { bytes, spans: scan.count, rejectedSpans, message };
  }
  const isRejected = (span: number) => scan.flaw[span] !== SPAN_FLAW.none || scan.endMs[span]! > earlyAfterMs;
  const reasons = [
    counts.traceId > 0 && `${counts.traceId} with an invalid trace id (16 bytes, not all zero)`,
    counts.spanId > 0 && `${counts.spanId} with an invalid span id (8 bytes, not all zero)`,
    counts.early > 0 &&
      `${counts.early} early: too far in the future (up to ${latestMs - earlyAfterMs} ms beyond the limit)`,
  ].filter((reason) => reason !== false);
  const message = `rejected spans: ${reasons.join('; ')}`;
  return { bytes: withoutSpans(bytes, isRejected), spans: scan.count, rejectedSpans, message };
}
