import type { SignalKind } from '@flyball/contracts';
import { WireWriter } from '@flyball/core';
import { type ClientHttp2Session, connect } from 'node:http2';

const SERVICES = { traces: 'trace', metrics: 'metrics', logs: 'logs' };

/** How an Export is sent. */
export interface ExportOptions {
  /** On top of those that every call has, or in their place, e.g. `grpc-encoding`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the body ends after what is sent; default true. Else the server waits for more. */
  readonly isEnded?: boolean;
}

/** What a call over gRPC ended with. */
export interface GrpcEnd {
  /** Of HTTP; 0 where there was no answer. */
  readonly http: number;
  /** `grpc-status`; -1 where the stream ended without one. */
  readonly code: number;
  readonly message: string;
  /** `grpc-status-details-bin` as text; '' where there is none. */
  readonly details: string;
}

/** Opens a connection that is spoken on by hand: a gRPC library would copy, check and tidy what it is to send. */
export function openConnection(url: string): ClientHttp2Session {
  // What waits to be sent counts as memory of the session, and beyond it no answer is read.
  return connect(url, { maxSessionMemory: 1_000 }).on('error', () => undefined);
}

/** One message as gRPC frames it. @param isCompressed - whether the header says so. */
export function framed(body: Uint8Array, isCompressed = false): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(isCompressed ? 1 : 0, 0);
  header.writeUInt32BE(body.length, 1);
  return Buffer.concat([header, body]);
}

/** Sends bytes as the body of an Export, whatever they are. */
export function exportFrames(
  connection: ClientHttp2Session,
  signal: SignalKind,
  frames: Uint8Array,
  { headers: more, isEnded = true }: ExportOptions = {},
): Promise<GrpcEnd> {
  const kind = SERVICES[signal];
  const path = `/opentelemetry.proto.collector.${kind}.v1.${kind[0]!.toUpperCase()}${kind.slice(1)}Service/Export`;
  const about = { ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc', ...more };
  return new Promise((resolve) => {
    const stream = connection.request(about);
    let said: Record<string, unknown> = {};
    stream.on('response', (headers) => (said = { ...said, ...headers }));
    stream.on('trailers', (trailers) => (said = { ...said, ...trailers }));
    stream.on('error', () => undefined).resume();
    stream.on('close', () => {
      const { 'grpc-status': status, 'grpc-message': message, 'grpc-status-details-bin': details } = said;
      resolve({
        http: Number(said[':status'] ?? 0),
        code: status === undefined ? -1 : Number(status),
        message: decodeURIComponent(String(message ?? '')),
        details: Buffer.from(String(details ?? ''), 'base64').toString(),
      });
    });
    if (isEnded) stream.end(frames);
    else stream.write(frames);
  });
}

/** A request of log records that is as large as it is told to be, roughly: records of 400 KB that compress to nothing. */
export function largeLogs(bytes: number, nowMs = Date.now()): Uint8Array {
  const text = new WireWriter().text(1, 'x'.repeat(400_000)).finish();
  const record = new WireWriter()
    .fixed64(1, BigInt(nowMs) * 1_000_000n)
    .bytes(5, text)
    .finish();
  const scope = new WireWriter();
  for (let left = bytes; left >= record.length; left -= record.length) scope.bytes(2, record);
  const name = new WireWriter().text(1, 'service.name').bytes(2, new WireWriter().text(1, 'large').finish()).finish();
  const resource = new WireWriter().bytes(1, name).finish();
  return new WireWriter().bytes(1, new WireWriter().bytes(1, resource).bytes(2, scope.finish()).finish()).finish();
}
