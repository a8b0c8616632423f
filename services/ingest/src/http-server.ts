import { DEFAULT_TENANT } from '@flyball/contracts';
import { AppError, RejectedError } from '@flyball/core';
import { encodeExportResponse, encodeRpcStatus, RPC_CODE, type RpcDetails } from '@flyball/otlp';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import type { IngestConfig } from './config.ts';
import type { Listening } from './grpc-server.ts';
import { type Ingest, RETRY_AFTER_MS } from './ingest.ts';
import { portError } from './port-error.ts';

const PROTOBUF = 'application/x-protobuf';
/** Below this size the thread pool costs more than it saves. */
const SYNC_GUNZIP_BYTES_MAX = 256 * 1024;
const GUNZIP_CHUNK_BYTES = 1024 * 1024;
const gunzipAsync = promisify(gunzip);

/** A refusal before the data itself was looked at. */
class HttpRefusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * OTLP/HTTP with protobuf bodies, plain or gzip. Every error is a `google.rpc.Status` in protobuf; what may be
 * sent again is 503 with Retry-After, never 500.
 *
 * @throws {UnavailableError} `PORT_TAKEN` when something else listens there.
 */
export async function listenHttp(ingest: Ingest, config: IngestConfig): Promise<Listening> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 60_000 });
  server.on('request', (request, response) => {
    void answer(ingest, config, request).then(
      (body) => reply(response, 200, body),
      (error: unknown) => refuse(response, error),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portError('OTLP/HTTP', config.httpPort, error)));
    server.listen(config.httpPort, config.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : config.httpPort,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 2_000).unref();
      }),
  };
}

async function answer(ingest: Ingest, config: IngestConfig, request: IncomingMessage): Promise<Uint8Array> {
  const path = request.url?.split('?')[0];
  if (path !== '/v1/traces') {
    throw new HttpRefusal(404, `no such path: POST /v1/traces takes traces; metrics and logs are not taken`);
  }
  if (request.method !== 'POST') throw new HttpRefusal(405, 'supported: [POST]', { allow: 'POST' });
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/x-protobuf *(;|$)/i.test(type)) {
    throw new HttpRefusal(415, `supported content type: ${PROTOBUF}`);
  }
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new HttpRefusal(400, `supported content encodings: identity, gzip`);
  }
  const body = await bodyOf(request, config.requestBytesMax);
  const bytes = encoding === 'gzip' ? await inflate(body, config.requestBytesMax) : body;
  return encodeExportResponse(await ingest.traces(bytes, DEFAULT_TENANT));
}

async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => new HttpRefusal(413, `request is larger than ${maxBytes} bytes`, { connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
}

async function inflate(body: Buffer, maxBytes: number): Promise<Uint8Array> {
  const options = { maxOutputLength: maxBytes, chunkSize: GUNZIP_CHUNK_BYTES };
  try {
    return body.length <= SYNC_GUNZIP_BYTES_MAX ? gunzipSync(body, options) : await gunzipAsync(body, options);
  } catch (error) {
    const isBomb = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    if (isBomb) throw new HttpRefusal(413, `request is larger than ${maxBytes} bytes when decompressed`);
    throw new HttpRefusal(400, 'body is not gzip, or is cut');
  }
}

function reply(
  response: ServerResponse,
  status: number,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': PROTOBUF, 'content-length': body.length, ...headers });
  response.end(body);
}

/** Source: opentelemetry-proto, specification.md, "OTLP/HTTP Response", "Failures" and "OTLP/HTTP Throttling". */
function refuse(response: ServerResponse, error: unknown): void {
  const status = (code: number, message: string, details: RpcDetails = {}) => encodeRpcStatus(code, message, details);
  if (error instanceof HttpRefusal) {
    const code = error.status === 413 ? RPC_CODE.resourceExhausted : RPC_CODE.invalidArgument;
    reply(response, error.status, status(code, error.message), error.headers);
    return;
  }
  const message = error instanceof AppError ? `${error.code}: ${error.message}` : 'INGEST_FAILED: ingest failed';
  if (error instanceof RejectedError) {
    const badRequest = { field: 'body', description: message };
    reply(response, 400, status(RPC_CODE.invalidArgument, message, { badRequest }));
    return;
  }
  const retryAfter = { 'retry-after': String(Math.ceil(RETRY_AFTER_MS / 1_000)) };
  reply(response, 503, status(RPC_CODE.unavailable, message, { retryAfterMs: RETRY_AFTER_MS }), retryAfter);
}
