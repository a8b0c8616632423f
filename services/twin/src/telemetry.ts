import { credentials } from '@grpc/grpc-js';
import { SpanKind, SpanStatusCode, TraceFlags, type HrTime } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { SimulatedSpan } from './shop.ts';

const SCOPE = { name: '@flyball/twin', version: '0.1.0' };
/** Most spans that wait for a receiver that is away; the oldest go. */
const WAITING_MAX = 20_000;
const SPANS_PER_REQUEST = 512;

/**
 * Sends simulated spans as real OTLP over gRPC, by the stock OpenTelemetry exporter. What a receiver did not take
 * is kept for a while and sent again, as a collector would.
 */
export class Telemetry {
  readonly #exporter: OTLPTraceExporter;
  readonly #resources = new Map<string, Resource>();
  #waiting: ReadableSpan[] = [];
  #isSending = false;
  sentSpans = 0;
  droppedSpans = 0;

  /** @param endpoint - `http://127.0.0.1:4317`. */
  constructor(endpoint: string) {
    this.#exporter = new OTLPTraceExporter({
      url: endpoint,
      credentials: credentials.createInsecure(),
      timeoutMillis: 3_000,
    });
  }

  /** Queues spans of an environment. */
  add(environment: string, spans: readonly SimulatedSpan[]): void {
    for (const span of spans) this.#waiting.push(this.#readable(environment, span));
    const excess = this.#waiting.length - WAITING_MAX;
    if (excess <= 0) return;
    this.#waiting.splice(0, excess);
    this.droppedSpans += excess;
  }

  /** Sends what is queued, unless a send is under way. */
  async flush(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.slice(0, SPANS_PER_REQUEST);
        if (!(await this.#send(batch))) return;
        this.#waiting.splice(0, batch.length);
        this.sentSpans += batch.length;
      }
    } finally {
      this.#isSending = false;
    }
  }

  async close(): Promise<void> {
    await this.#exporter.shutdown();
  }

  #send(batch: ReadableSpan[]): Promise<boolean> {
    return new Promise((resolve) => this.#exporter.export(batch, ({ code }) => resolve(code === 0)));
  }

  #readable(environment: string, span: SimulatedSpan): ReadableSpan {
    const context = (spanId: string) => ({ traceId: span.traceId, spanId, traceFlags: TraceFlags.SAMPLED });
    return {
      name: span.name,
      kind: span.kind === 'server' ? SpanKind.SERVER : SpanKind.CLIENT,
      spanContext: () => context(span.spanId),
      ...(span.parentSpanId !== undefined && { parentSpanContext: context(span.parentSpanId) }),
      startTime: hrTime(span.startMs),
      endTime: hrTime(span.endMs),
      duration: hrTime(span.endMs - span.startMs),
      status: { code: span.isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
      attributes: {
        'http.response.status_code': span.isError ? 500 : 200,
        // The shop's client spans are named for whom they call.
        ...(span.kind === 'client' && { 'server.address': span.name }),
      },
      links: [],
      events: [],
      ended: true,
      resource: this.#resource(environment, span),
      instrumentationScope: SCOPE,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  }

  #resource(environment: string, { service, version, instance }: SimulatedSpan): Resource {
    const key = `${environment} ${instance}`;
    const known = this.#resources.get(key);
    if (known !== undefined) return known;
    const resource = resourceFromAttributes({
      'service.name': service,
      'service.version': version,
      'service.instance.id': instance,
      'deployment.environment.name': environment,
    });
    this.#resources.set(key, resource);
    return resource;
  }
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
