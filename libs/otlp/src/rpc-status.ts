import { WireWriter } from '@flyball/core';

/** gRPC status codes that we answer with. Source: google/rpc/code.proto. */
export const RPC_CODE = {
  invalidArgument: 3,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
} as const;

/** What goes into a `google.rpc.Status` besides code and message. */
export interface RpcDetails {
  /** Why bad data will never be taken: a `google.rpc.BadRequest` with one violation. */
  readonly badRequest?: { readonly field: string; readonly description: string };
  /** When to try again: a `google.rpc.RetryInfo`. Without it RESOURCE_EXHAUSTED is final. */
  readonly retryAfterMs?: number;
}

/**
 * A serialised `google.rpc.Status`: body of OTLP/HTTP errors, and `grpc-status-details-bin` of gRPC ones.
 *
 * Source: google/rpc/status.proto and error_details.proto; opentelemetry-proto, specification.md, "Failures".
 */
export function encodeRpcStatus(code: number, message: string, details: RpcDetails = {}): Uint8Array {
  const status = new WireWriter().varint(1, code).text(2, message);
  const any = (type: string, value: Uint8Array) =>
    status.bytes(3, new WireWriter().text(1, `type.googleapis.com/google.rpc.${type}`).bytes(2, value).finish());
  if (details.badRequest !== undefined) {
    const { field, description } = details.badRequest;
    const violation = new WireWriter().text(1, field).text(2, description).finish();
    any('BadRequest', new WireWriter().bytes(1, violation).finish());
  }
  if (details.retryAfterMs !== undefined) {
    const seconds = Math.floor(details.retryAfterMs / 1_000);
    const nanos = (details.retryAfterMs % 1_000) * 1_000_000;
    any('RetryInfo', new WireWriter().bytes(1, new WireWriter().varint(1, seconds).varint(2, nanos).finish()).finish());
  }
  return status.finish();
}
