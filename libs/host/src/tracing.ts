import { type Attributes, context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AppError } from '@flyball/core';

const tracer = trace.getTracer('flyball');

/** Tracing of our own, while it runs. */
export interface Tracing {
  /** Sends what is still here, for at most a few seconds, and stops. */
  stop(): Promise<void>;
}

/**
 * Starts to send traces of this process to an OTLP/gRPC receiver. The SDK is loaded only then: whoever does not ask for
 * traces pays for none.
 *
 * @param service - `flyball-ingest`: the `service.name` of the traces.
 * @param url - of the receiver, `http://HOST:4317`.
 */
export async function startTracing(service: string, url: string): Promise<Tracing> {
  const [{ OTLPTraceExporter }, { resourceFromAttributes }, { BatchSpanProcessor, TracerProvider }] = await Promise.all(
    [
      import('@opentelemetry/exporter-trace-otlp-grpc'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace'),
    ],
  );
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const exporter = new OTLPTraceExporter({ url });
  const resource = resourceFromAttributes({ 'service.name': service });
  const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] });
  trace.setGlobalTracerProvider(provider);
  return { stop: () => provider.shutdown().catch(() => undefined) };
}

/** Does something as a span of a trace, if traces are sent. An error is noted by its code, and thrown on. */
export function traced<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      const message = error instanceof AppError ? error.code : String(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Fields that tie a line of the log to the trace that it belongs to; none outside of one. */
export function traceFields(): { trace_id?: string; span_id?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}
