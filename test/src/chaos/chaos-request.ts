import { concatBytes, EMPTY_BYTES, type Prng, utf8, WireWriter } from '@flyball/core';

/** Resource attribute that names the request, so that it is found again in whatever record it was joined into. */
export const REQUEST_ATTRIBUTE = 'chaos.request';

/** What a request is made of. */
export interface RequestPlan {
  readonly id: string;
  readonly environment: string;
  readonly service: string;
  readonly spans: number;
  /** Its spans end within the `spreadMs` before this, ms since the Unix epoch; default 400. */
  readonly nowMs: number;
  readonly spreadMs?: number;
  /** Whether its spans end before they start. Default false. */
  readonly isBackwards?: boolean;
  /** Further fields of its first span, serialised. */
  readonly more?: Uint8Array;
  /** The same of its resource. */
  readonly resourceMore?: Uint8Array;
}

const ERROR_RATIO = 0.02;

/**
 * A trace request with one resource: a record that joins several requests still shows each of them, byte for byte. Durations
 * are whole milliseconds, so that sums are exact.
 */
export function chaosRequest(plan: RequestPlan, dice: Prng): Uint8Array {
  const { id, environment, service, spans, nowMs, spreadMs = 400, isBackwards = false } = plan;
  const { more = EMPTY_BYTES, resourceMore = EMPTY_BYTES } = plan;
  const resource = new WireWriter();
  const attributes = { 'service.name': service, 'deployment.environment.name': environment, [REQUEST_ATTRIBUTE]: id };
  for (const [key, value] of Object.entries(attributes)) {
    resource.bytes(1, new WireWriter().text(1, key).bytes(2, new WireWriter().text(1, value).finish()).finish());
  }
  const scope = new WireWriter();
  for (let index = 0; index < spans; index += 1) {
    const endNs = BigInt(nowMs - dice.below(spreadMs)) * 1_000_000n;
    const tookMs = 1 + dice.below(200);
    const span = new WireWriter().bytes(1, utf8(dice.hex(16))).bytes(2, utf8(dice.hex(8)));
    span.text(5, 'GET /').varint(6, 2);
    span.fixed64(7, endNs - BigInt(isBackwards ? -tookMs : tookMs) * 1_000_000n).fixed64(8, endNs);
    if (dice.chance(ERROR_RATIO)) span.bytes(15, new WireWriter().varint(3, 2).finish());
    scope.bytes(2, concatBytes(index === 0 ? [span.finish(), more] : [span.finish()]));
  }
  const resourceSpans = new WireWriter()
    .bytes(1, concatBytes([resource.finish(), resourceMore]))
    .bytes(2, scope.finish());
  return new WireWriter().bytes(1, resourceSpans.finish()).finish();
}
