import { DEFAULT_TENANT, type SignalKind } from '@flyball/contracts';
import { AppError, RejectedError } from '@flyball/core';
import { CLOSE_TIMEOUT_MS } from '@flyball/host';
import { encodeExportResponse, encodeRpcStatus, RPC_CODE } from '@flyball/otlp';
import {
  logVerbosity,
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  setLogVerbosity,
} from '@grpc/grpc-js';
import type { IngestConfig } from './config.ts';
import { type Ingest, RETRY_AFTER_MS } from './ingest.ts';
import { COMING_WEIGHT } from './intake.ts';
import { portError } from './port-error.ts';
import type { Accepted } from './signal-ingest.ts';
import { SIGNALS } from './signals.ts';

/** A transport that listens. */
export interface Listening {
  readonly port: number;
  /** Takes no new requests, lets those under way finish, then lets go. */
  close(): Promise<void>;
}

/** Calls at once on one connection; clients let more wait. */
const STREAMS_MAX = 100;

/**
 * OTLP/gRPC. Bodies pass as they are: serialisers are identities, and bad data is answered by us, since a
 * serialiser that throws would become INTERNAL, which tells a client nothing.
 *
 * @throws {UnavailableError} `PORT_TAKEN` when something else listens there.
 */
export async function listenGrpc(ingest: Ingest, config: IngestConfig): Promise<Listening> {
  setLogVerbosity(logVerbosity.NONE); // It writes to standard error; what matters reaches the caller as an error.
  const server = new Server({
    'grpc.max_receive_message_length': config.requestBytesMax,
    'grpc.max_concurrent_streams': STREAMS_MAX,
    'grpc.keepalive_time_ms': 60_000,
  });
  const identity = <T>(bytes: T): T => bytes;
  for (const { signal, grpcPath } of SIGNALS) {
    const definition = {
      Export: {
        path: grpcPath,
        requestStream: false,
        responseStream: false,
        requestDeserialize: identity<Buffer>,
        requestSerialize: identity<Buffer>,
        responseSerialize: identity<Buffer>,
        responseDeserialize: identity<Buffer>,
      },
    };
    server.addService(definition, {
      Export: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        take(ingest, signal, call.request).then(
          (accepted) => done(null, Buffer.from(encodeExportResponse(accepted))),
          (error: unknown) => done(statusOf(error)),
        );
      },
    });
  }
  const port = await new Promise<number>((resolve, reject) => {
    const address = `${config.host}:${config.grpcPort}`;
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(portError('OTLP/gRPC', config.grpcPort, error));
    });
  });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), CLOSE_TIMEOUT_MS);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      }),
  };
}

/**
 * Stores a message, which counts as held until that is done. While it is received it does not count: grpc-js has all of it in
 * memory, unpacked, before anybody is told how large it is.
 *
 * @throws {UnavailableError} `INGEST_OVERLOADED`: others hold so much that there is no room. And what `Ingest.export` throws.
 */
async function take(ingest: Ingest, signal: SignalKind, message: Buffer): Promise<Accepted> {
  const intake = ingest.intake.open();
  try {
    intake.hold(COMING_WEIGHT * message.length);
  } catch (error) {
    ingest.tellRefused(signal, DEFAULT_TENANT);
    throw error;
  }
  return ingest.export(signal, message, DEFAULT_TENANT).finally(() => intake.release());
}

/** Source: opentelemetry-proto, specification.md, "Failures" and "OTLP/gRPC Throttling". */
function statusOf(error: unknown): { code: number; details: string; metadata: Metadata } {
  const details = error instanceof AppError ? `${error.code}: ${error.message}` : 'INGEST_FAILED: ingest failed';
  const isBadData = error instanceof RejectedError;
  const code = isBadData ? RPC_CODE.invalidArgument : RPC_CODE.unavailable;
  const more = isBadData ? { badRequest: { field: 'body', description: details } } : { retryAfterMs: RETRY_AFTER_MS };
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(encodeRpcStatus(code, details, more)));
  return { code, details, metadata };
}
