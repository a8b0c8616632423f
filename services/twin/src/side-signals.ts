import { encodeLogsJson, encodeMetricsJson, type JsonResourceLogs, type JsonResourceMetrics } from '@flyball/otlp';
import { Client, credentials } from '@grpc/grpc-js';
import type { InstanceLoad, SimulatedSpan } from './shop.ts';

/** How often levels and totals are reported, ms. */
const REPORT_EVERY_MS = 5_000;
const EXPORT = {
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
} as const;
const TIMEOUT_MS = 3_000;
const CUMULATIVE = 2;
const SEVERITY = { info: 9, error: 17 } as const;

interface InstanceTotals {
  readonly sinceMs: number;
  requests: number;
}

/**
 * Metrics and logs of the shops, as OTLP over gRPC: the processor of each instance, its requests as a total, a line now and
 * then, and one for each request that failed. What a receiver does not take is gone: the next report says it again.
 */
export class SideSignals {
  readonly #client: Client;
  readonly #totals = new Map<string, InstanceTotals>();
  readonly #reportedMs = new Map<string, number>();

  /** @param endpoint - `http://127.0.0.1:4317`. */
  constructor(endpoint: string) {
    this.#client = new Client(new URL(endpoint).host, credentials.createInsecure());
  }

  /** Takes in what a shop served, and reports when it is time. */
  add(environment: string, instances: readonly InstanceLoad[], spans: readonly SimulatedSpan[], nowMs: number): void {
    const served = spans.filter(({ kind }) => kind === 'server');
    for (const { instance } of served) this.#totalsOf(environment, instance, nowMs).requests += 1;
    const failed = served.filter((span) => span.isError && !callFailed(span, spans));
    if (failed.length > 0) this.#send('logs', encodeLogsJson(failed.map((span) => failureOf(environment, span))));
    if (nowMs < (this.#reportedMs.get(environment) ?? 0) + REPORT_EVERY_MS) return;
    this.#reportedMs.set(environment, nowMs);
    const metrics = instances.map((each) => this.#metricsOf(environment, each, nowMs));
    this.#send('metrics', encodeMetricsJson(metrics));
    this.#send('logs', encodeLogsJson(instances.map((each) => this.#reportOf(environment, each, nowMs))));
  }

  close(): void {
    this.#client.close();
  }

  #totalsOf(environment: string, instance: string, nowMs: number): InstanceTotals {
    const key = `${environment} ${instance}`;
    const known = this.#totals.get(key) ?? { sinceMs: nowMs, requests: 0 };
    this.#totals.set(key, known);
    return known;
  }

  #metricsOf(environment: string, load: InstanceLoad, nowMs: number): JsonResourceMetrics {
    const { sinceMs, requests } = this.#totalsOf(environment, load.instance, nowMs);
    const time = { timeUnixNano: nanos(nowMs) };
    const total = { ...time, startTimeUnixNano: nanos(sinceMs), asInt: String(requests) };
    const sum = { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints: [total] };
    const metrics = [
      { name: 'process.cpu.utilization', unit: '1', gauge: { dataPoints: [{ ...time, asDouble: load.cpuRatio }] } },
      { name: 'http.server.requests', unit: '{request}', sum },
    ];
    return { resource: resourceOf(environment, load), scopeMetrics: [{ metrics }] };
  }

  #reportOf(environment: string, load: InstanceLoad, nowMs: number): JsonResourceLogs {
    const { requests } = this.#totalsOf(environment, load.instance, nowMs);
    const body = { stringValue: `served ${requests} requests since start` };
    const logRecords = [{ timeUnixNano: nanos(nowMs), severityNumber: SEVERITY.info, body }];
    return { resource: resourceOf(environment, load), scopeLogs: [{ logRecords }] };
  }

  #send(signal: keyof typeof EXPORT, bytes: Uint8Array): void {
    const same = (value: Buffer) => value;
    const options = { deadline: Date.now() + TIMEOUT_MS };
    this.#client.makeUnaryRequest(EXPORT[signal], same, same, Buffer.from(bytes), options, () => undefined);
  }
}

/** Whether a request failed because of one that it made: that is logged where it began. */
function callFailed({ spanId }: SimulatedSpan, spans: readonly SimulatedSpan[]): boolean {
  return spans.some(({ parentSpanId, isError }) => isError && parentSpanId === spanId);
}

function failureOf(environment: string, span: SimulatedSpan): JsonResourceLogs {
  const { name, traceId, spanId, endMs } = span;
  const body = { stringValue: `${name} failed: request ${spanId.slice(0, 6)} could not be served` };
  const record = { timeUnixNano: nanos(endMs), severityNumber: SEVERITY.error, body, traceId, spanId };
  return { resource: resourceOf(environment, span), scopeLogs: [{ logRecords: [record] }] };
}

function resourceOf(environment: string, of: Pick<SimulatedSpan, 'service' | 'version' | 'instance'>) {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  return {
    attributes: [
      attribute('service.name', of.service),
      attribute('service.version', of.version),
      attribute('service.instance.id', of.instance),
      attribute('deployment.environment.name', environment),
    ],
  };
}

function nanos(ms: number): string {
  return `${Math.floor(ms)}000000`;
}
