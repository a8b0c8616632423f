import type { SignalKind } from '@flyball/contracts';
import type { FlyballProcess } from '@flyball/testing';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { request as httpRequest } from 'node:http';

/** Kinds of telemetry, with the counter of their items. */
const ITEMS = { traces: 'spans', metrics: 'points', logs: 'log_records' } as const;
/** Names of the lists of OTLP/JSON. */
const LISTS = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
} as const;

const GRPC_SERVICES = {
  traces: 'trace.v1.TraceService',
  metrics: 'metrics.v1.MetricsService',
  logs: 'logs.v1.LogsService',
};

/** An answer over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Sends what it is told to, over HTTP and gRPC, to a process. */
export class Wire {
  readonly #flyball: FlyballProcess;

  constructor(flyball: FlyballProcess) {
    this.#flyball = flyball;
  }

  /** One request over HTTP; JSON unless `headers` say something else. A connection that is cut has status 0. */
  http(
    path: string,
    body: Uint8Array | string,
    headers: Readonly<Record<string, string>> = {},
    method = 'POST',
  ): Promise<HttpAnswer> {
    const { hostname, port } = new URL(this.#flyball.addresses.otlpHttp);
    return new Promise((resolve) => {
      const about = { hostname, port, path, method, headers: { 'content-type': 'application/json', ...headers } };
      const sent = httpRequest(about, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
      sent.on('error', () => resolve({ status: 0, headers: {}, body: '' }));
      sent.end(body);
    });
  }

  /** One request over gRPC: what was answered, or the error. */
  grpc(signal: SignalKind, body: Uint8Array): Promise<Buffer | ServiceError> {
    const client = new Client(new URL(this.#flyball.addresses.otlpGrpc).host, credentials.createInsecure());
    const same = (bytes: Buffer) => bytes;
    const path = `/opentelemetry.proto.collector.${GRPC_SERVICES[signal]}/Export`;
    return new Promise((resolve) => {
      client.makeUnaryRequest(path, same, same, Buffer.from(body), (error, answer) => {
        client.close();
        resolve(error ?? answer!);
      });
    });
  }

  /** Items by what became of them, as the process counts them. */
  async counts(signal: SignalKind): Promise<Readonly<Record<string, number>>> {
    const text = await this.#metrics();
    const lines = text.matchAll(new RegExp(`^flyball_ingest_${ITEMS[signal]}_total{outcome="(\\w+)"} (\\d+)`, 'gm'));
    return Object.fromEntries([...lines].map(([, outcome, count]) => [outcome!, Number(count)]));
  }

  /** What the process holds in memory, bytes. */
  async residentBytes(): Promise<number> {
    const [, bytes] = /^process_resident_memory_bytes (\d+)/m.exec(await this.#metrics())!;
    return Number(bytes);
  }

  async #metrics(): Promise<string> {
    return (await fetch(`${this.#flyball.addresses.api}/metrics`)).text();
  }
}

/** Attribute with a text. */
export const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
/** A time as OTLP/JSON writes it. */
export const nanos = (ms: number) => `${ms}000000`;

/** A request of OTLP/JSON with some items of a service. */
export function requestOf(signal: SignalKind, service: string, items: readonly unknown[]): string {
  const [resources, scopes, list] = LISTS[signal];
  const attributes = [attribute('service.name', service), attribute('deployment.environment.name', 'bad')];
  return JSON.stringify({ [resources]: [{ resource: { attributes }, [scopes]: [{ [list]: items }] }] });
}

/** An item that nothing is wrong with. */
export function goodItem(signal: SignalKind, nowMs = Date.now()): object {
  const timeUnixNano = nanos(nowMs);
  if (signal === 'metrics') return { name: 'queue', gauge: { dataPoints: [{ timeUnixNano, asDouble: 1 }] } };
  if (signal === 'logs') return { timeUnixNano, severityNumber: 9, body: { stringValue: 'all is well' } };
  const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  return { ...ids, name: 'GET /', kind: 2, startTimeUnixNano: nanos(nowMs - 5), endTimeUnixNano: timeUnixNano };
}
