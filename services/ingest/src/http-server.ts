import { DEFAULT_TENANT, type SignalKind } from '@flyball/contracts';
import { AppError, RejectedError, UnavailableError, utf8 } from '@flyball/core';
import { letGo } from '@flyball/host';
import { encodeExportResponse, encodeRpcStatus, RPC_CODE, type RpcDetails } from '@flyball/otlp';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Assembly } from './assembly.ts';
import type { IngestConfig } from './config.ts';
import type { Listening } from './grpc-server.ts';
import { BodyRefusal, inflate } from './inflate.ts';
import { type Ingest, RETRY_AFTER_MS } from './ingest.ts';
import { COMING_WEIGHT, type Intake } from './intake.ts';
import { encodeJsonRequest, type JsonRequest, jsonResponse } from './json-request.ts';
import { portError } from './port-error.ts';
import { SIGNALS } from './signals.ts';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
/** As text, as objects and as protobuf: JSON takes so many times its size until it is stored. */
const JSON_WEIGHT = 6;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

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
 * OTLP/HTTP with protobuf or JSON bodies, plain or gzip. Every error is a `google.rpc.Status`; what may be sent again is 503 with Retry-After, never 500.
 *
 * @throws {UnavailableError} `PORT_TAKEN` when something else listens there.
 */
export async function listenHttp(ingest: Ingest, config: IngestConfig): Promise<Listening> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 60_000 });
  server.on('request', (request, response) => {
    const intake = ingest.intake.open();
    void answer(ingest, { config, intake }, request)
      .then(
        (body) => reply({ request, response }, 200, body),
        (error: unknown) => refuse({ request, response }, error),
      )
      .finally(() => intake.release());
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
        letGo(server);
        server.close(() => resolve());
      }),
  };
}

/** Kinds of telemetry by path. Source: opentelemetry-proto, specification.md, "OTLP/HTTP Request". */
const PATHS = new Map<string, SignalKind>(SIGNALS.map(({ signal }) => [`/v1/${signal}`, signal]));

/** What an answer is made with. */
interface Means {
  readonly config: IngestConfig;
  readonly intake: Intake;
}

async function answer(ingest: Ingest, means: Means, request: IncomingMessage): Promise<Uint8Array> {
  const signal = PATHS.get(request.url?.split('?')[0] ?? '');
  if (signal === undefined) throw new HttpRefusal(404, `no such path: POST ${[...PATHS.keys()].join(', ')}`);
  if (request.method !== 'POST') throw new HttpRefusal(405, 'supported: [POST]', { allow: 'POST' });
  const type = typeOf(request);
  if (type !== PROTOBUF && type !== JSON_TYPE) {
    throw new HttpRefusal(415, `supported content types: ${PROTOBUF}, ${JSON_TYPE}`);
  }
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new HttpRefusal(400, `supported content encodings: identity, gzip`);
  }
  const isJson = type === JSON_TYPE;
  const bytes = await receive(request, means, { isGzip: encoding === 'gzip', isJson }).catch((error: unknown) => {
    if (error instanceof UnavailableError) ingest.tellRefused(signal, DEFAULT_TENANT);
    throw error;
  });
  const { bytes: taken, unreadable } = isJson ? fromJson(ingest, signal, bytes) : { bytes, unreadable: undefined };
  const accepted = await ingest.export(signal, taken, DEFAULT_TENANT, unreadable);
  return isJson ? utf8(JSON.stringify(jsonResponse(signal, accepted))) : encodeExportResponse(accepted);
}

function fromJson(ingest: Ingest, signal: SignalKind, bytes: Uint8Array): JsonRequest {
  try {
    return encodeJsonRequest(signal, bytes);
  } catch (error) {
    ingest.tellMalformed(signal);
    throw error;
  }
}

/** Media type of a body, without parameters. */
function typeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

/** The body as it was before its encoding. @throws {UnavailableError} `INGEST_OVERLOADED` */
async function receive(
  request: IncomingMessage,
  { config: { requestBytesMax }, intake }: Means,
  { isGzip, isJson }: { readonly isGzip: boolean; readonly isJson: boolean },
): Promise<Uint8Array> {
  const body = await bodyOf(request, requestBytesMax, intake);
  const bytes = isGzip ? await inflate(body, requestBytesMax, intake) : body;
  if (isJson) intake.hold((JSON_WEIGHT - COMING_WEIGHT) * bytes.length);
  return bytes;
}

async function bodyOf(request: IncomingMessage, maxBytes: number, intake: Intake): Promise<Buffer> {
  const tooLarge = () => new HttpRefusal(413, `request is larger than ${maxBytes} bytes`, { connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const body = new Assembly(Number(request.headers['content-length'] ?? maxBytes));
  let size = 0;
  let refusal: unknown;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    // Who is refused is heard out, and nothing of it is kept: many clients read no answer before they have said all.
    if (refusal !== undefined) continue;
    try {
      intake.hold(COMING_WEIGHT * chunk.length);
      body.add(chunk);
    } catch (error) {
      refusal = error;
      body.discard();
      intake.release();
    }
  }
  if (refusal !== undefined) throw refusal;
  return body.finish();
}

function reply(
  { request, response }: Exchange,
  status: number,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = typeOf(request) === JSON_TYPE ? JSON_TYPE : PROTOBUF;
  response.writeHead(status, { 'content-type': type, 'content-length': body.length, ...headers });
  response.end(body);
}

/**
 * Source: opentelemetry-proto, specification.md, "OTLP/HTTP Response", "Failures" and "OTLP/HTTP Throttling"; in JSON
 * where the request was.
 */
function refuse(response: Exchange, error: unknown): void {
  const isJson = typeOf(response.request) === JSON_TYPE;
  const status = (code: number, message: string, details: RpcDetails = {}) =>
    isJson ? utf8(JSON.stringify({ code, message })) : encodeRpcStatus(code, message, details);
  if (error instanceof BodyRefusal) {
    refuse(response, new HttpRefusal(error.isTooLarge ? 413 : 400, error.message));
    return;
  }
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
