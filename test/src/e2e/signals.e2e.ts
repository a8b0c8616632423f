import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { FlyballProcess, skipWithout } from '@flyball/testing';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pythonWithSdk } from './python-sdk.ts';

// Goal: whoever points the stock SDKs of their language at Flyball sees their traces, metrics and logs, and who calls whom.
// Method: the real command, the real exporters over gRPC and HTTP, real sockets; then what the API shows.

const BIN = fileURLToPath(new URL('../../../node_modules/.bin/flyball', import.meta.url));
const SETTINGS = { FLYBALL_AGGREGATOR_WINDOW_MS: '1000', FLYBALL_AGGREGATOR_GRACE_MS: '500' };
const POLL = { timeout: 25_000, interval: 250 };
const python = pythonWithSdk();

let flyball: FlyballProcess;
beforeAll(async () => {
  flyball = await FlyballProcess.start(BIN, SETTINGS);
});
afterAll(async () => {
  expect(await flyball.stop()).toBe(0);
});

interface Items<T> {
  readonly items: readonly T[];
}
const itemsOf = async <T>(path: string) => (await flyball.get<Items<T>>(path)).items;
const edgesOf = (id: string) =>
  itemsOf<{ view: string; name: string; count: number; errors: number }>(`/v1/services/${id}/edges`);
const metricsOf = (id: string) =>
  itemsOf<{ metric: string; type: string; points: { value: number }[] }>(`/v1/services/${id}/metrics`);
const logsOf = (id: string) =>
  itemsOf<{ view: string; name: string; count: number; traceId: string }>(`/v1/services/${id}/logs`);

const url = () => flyball.addresses.otlpGrpc;
const resourceOf = (service: string) =>
  resourceFromAttributes({ 'service.name': service, 'deployment.environment.name': 'js' });

describe('the stock SDK for JavaScript, over gRPC', () => {
  test('shows who calls whom, what failed by itself, and no span twice', async () => {
    const open = (service: string) => {
      const processor = new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: url() }) });
      const provider = new TracerProvider({ resource: resourceOf(service), spanProcessors: [processor] });
      return { provider, tracer: provider.getTracer('e2e') };
    };
    const [web, stock] = [open('web'), open('stock')];
    const below = (span: Span) => trace.setSpan(context.active(), span);
    for (let request = 0; request < 30; request += 1) {
      const server = web.tracer.startSpan('GET /', { kind: SpanKind.SERVER });
      const client = web.tracer.startSpan('stock', { kind: SpanKind.CLIENT }, below(server));
      const callee = stock.tracer.startSpan('GET /stock', { kind: SpanKind.SERVER }, below(client));
      // The callee fails, and with it the call and the caller.
      if (request < 6) for (const span of [callee, client, server]) span.setStatus({ code: SpanStatusCode.ERROR });
      for (const span of [callee, client, server]) span.end();
    }
    for (const { provider } of [web, stock]) {
      await provider.forceFlush();
      await provider.shutdown();
    }
    await expect
      .poll(async () => (await edgesOf('js:stock')).find(({ view }) => view === 'caller'), POLL)
      .toMatchObject({ name: 'web', count: 30, errors: 6 });
    const ownErrors = async (id: string) =>
      (await edgesOf(id)).filter(({ view }) => view === 'self').reduce((sum, { errors }) => sum + errors, 0);
    expect([await ownErrors('js:web'), await ownErrors('js:stock')]).toEqual([0, 6]);
    expect((await edgesOf('js:stock')).find(({ view }) => view === 'gap')).toMatchObject({ name: 'web', count: 30 });
  });

  test('shows levels, and increases per second', async () => {
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: url() }),
      exportIntervalMillis: 60_000,
    });
    const provider = new MeterProvider({ resource: resourceOf('web'), readers: [reader] });
    const meter = provider.getMeter('e2e');
    const orders = meter.createCounter('orders');
    meter.createObservableGauge('queue.length').addCallback((result) => result.observe(7));
    meter.createHistogram('work.duration', { unit: 'ms' }).record(25);
    for (let round = 0; round < 4; round += 1) {
      orders.add(100);
      await provider.forceFlush();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    await provider.shutdown();
    const streamOf = async (name: string) => (await metricsOf('js:web')).find(({ metric }) => metric === name);
    await expect
      .poll(() => streamOf('queue.length'), POLL)
      .toMatchObject({ type: 'gauge', points: expect.arrayContaining([expect.objectContaining({ value: 7 })]) });
    await expect.poll(async () => (await streamOf('orders'))?.points.length ?? 0, POLL).toBeGreaterThan(1);
    const orderRate = (await streamOf('orders'))!.points[0]!.value;
    expect(orderRate).toBeGreaterThan(60);
    expect(orderRate).toBeLessThan(140);
  });

  test('shows logs by severity and template, with a trace to look at', async () => {
    const processor = new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: url() }) });
    const provider = new LoggerProvider({ resource: resourceOf('web'), processors: [processor] });
    const logger = provider.getLogger('e2e');
    const spanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
    for (let order = 0; order < 12; order += 1) {
      const about = trace.setSpanContext(context.active(), spanContext);
      logger.emit({ severityNumber: 17, severityText: 'ERROR', body: `order ${order} was lost`, context: about });
    }
    await provider.forceFlush();
    await provider.shutdown();
    await expect
      .poll(async () => (await logsOf('js:web')).find(({ view }) => view === 'template'), POLL)
      .toMatchObject({ name: 'error order <*> was lost', count: 12, traceId: 'a'.repeat(32) });
  });
});

test('the stock SDK for Python, over HTTP, shows all three signals and the edge between two services', async (it) => {
  if ('missing' in python) return skipWithout(it, python.missing);
  const script = fileURLToPath(new URL('send.py', import.meta.url));
  const sent = spawnSync(python.python, [script, flyball.addresses.otlpHttp], { encoding: 'utf8' });
  expect(sent).toMatchObject({ status: 0 });
  await expect
    .poll(async () => (await edgesOf('python:py-stock')).find(({ view }) => view === 'caller'), POLL)
    .toMatchObject({ name: 'py-web', count: 20 });
  expect((await logsOf('python:py-web')).find(({ view }) => view === 'template')).toMatchObject({ count: 20 });
  await expect
    .poll(async () => (await metricsOf('python:py-web')).map(({ metric }) => metric), POLL)
    .toContain('orders');
});
