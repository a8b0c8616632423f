import { AggregatorConfig, aggregatorSpecs } from '@flyball/aggregator';
import { type Window, windowsCodec } from '@flyball/contracts';
import { createLogger, LaneSet } from '@flyball/host';
import { Ingest, IngestConfig } from '@flyball/ingest';
import { KafkaLog } from '@flyball/log-kafka';
import { MemoryObjects } from '@flyball/memory';
import { createTopics, Line } from '@flyball/runtime';
import {
  allRecords,
  kafkaWays,
  type MissingPart,
  partForTest,
  type RealPart,
  skippable,
  startCollector,
  traceRequest,
} from '@flyball/testing';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { SpanKind } from '@opentelemetry/api';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { withAdmin } from './kafka-topics.ts';

// Goal: who has a Collector and a Kafka already need not change either: what its exporter writes is aggregated, and what our
// ingest writes is read by its receiver. Method: a real Collector on both sides of otlp_spans, and counts.

const SPANS = 37;
const LANES = 2;
const dir = mkdtempSync(join(tmpdir(), 'flyball-collector-'));
const kafka = await partForTest(kafkaWays({ dir }));
const probe = await startCollector(join(dir, 'probe'), {
  exporters: { file: { path: join(dir, 'probe.json') } },
  from: ['otlp'],
});
if (!('missing' in probe)) await probe.stop();
else skippable(probe.missing);
const missing = [kafka, probe].find((part): part is MissingPart => 'missing' in part);
if (missing !== undefined) test.skip(`needs ${missing.missing}`);
const withBoth = test.skipIf(missing !== undefined);
const url = 'missing' in kafka ? '' : kafka.url;
const brokers = [url.replace('kafka://', '')];

let log: KafkaLog;
let collector: RealPart | MissingPart;
beforeEach(async () => {
  if (missing !== undefined) return;
  log = await KafkaLog.open({ url });
  await createTopics(log, { lanes: LANES, rawPartitions: LANES });
});
afterEach(async () => {
  if (missing !== undefined) return;
  if (!('missing' in collector)) await collector.stop();
  await log.close();
  await withAdmin(url, async (admin) => {
    const topics = (await admin.listTopics()).filter((topic) => /^(otlp_|flyball\.|remediation\.)/.test(topic));
    await admin.deleteTopics({ topics });
    await expect.poll(() => admin.listTopics(), { timeout: 15_000 }).not.toContain('otlp_spans');
  });
});
afterAll(async () => {
  if (!('missing' in kafka)) await kafka.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Spans of the stock SDK, to wherever an OTLP/gRPC receiver listens. */
async function send(endpoint: string): Promise<void> {
  const exporter = new OTLPTraceExporter({ url: endpoint });
  const resource = resourceFromAttributes({ 'service.name': 'cart', 'deployment.environment.name': 'interop' });
  const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('interop');
  for (let index = 0; index < SPANS; index += 1) tracer.startSpan('GET /cart', { kind: SpanKind.SERVER }).end();
  await provider.forceFlush();
  await provider.shutdown();
}

withBoth.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
  'what the Collector’s Kafka exporter writes, compression %s, is aggregated, span by span',
  async (compression) => {
    const exporter = {
      brokers,
      traces: { topic: 'otlp_spans', encoding: 'otlp_proto' },
      producer: { required_acks: -1, allow_auto_topic_creation: false, compression },
    };
    collector = await startCollector(join(dir, `out-${compression}`), {
      exporters: { kafka: exporter },
      from: ['otlp'],
    });
    await send((collector as RealPart).url);
    // Where only others write an ingest runs as the ticker: time must pass on every partition.
    const config = AggregatorConfig.parse({ windowMs: 1_000, graceMs: 500 });
    const ingest = await Ingest.open(IngestConfig.parse({}), { log, registry: new Registry() });
    const line = new Line({ lanes: LANES, rawPartitions: LANES, nodeVersion: process.version }, [config]);
    const lanes = new LaneSet(
      aggregatorSpecs(config, line),
      { log, objects: new MemoryObjects() },
      createLogger('silent'),
    );
    await lanes.start('interop');
    const counted = async () => {
      const messages = (await allRecords(log, 'flyball.windows')).map((record) => windowsCodec.decode(record));
      const windows = messages.filter((message): message is Window => message.type === 'window');
      const own = windows.filter(
        ({ kind, subject }) => kind === 'traces' && subject.service === 'cart' && subject.environment === 'interop',
      );
      return own.reduce((sum, { spans, lateSpans }) => sum + spans + lateSpans, 0);
    };
    await expect.poll(counted, { timeout: 30_000, interval: 500 }).toBe(SPANS);
    await ingest.drain();
    await lanes.stop();
  },
);

withBoth(
  'what our ingest writes, ticks and joined requests included, is read by the Collector’s Kafka receiver',
  async () => {
    const receiver = {
      brokers,
      group_id: 'interop-receiver',
      initial_offset: 'earliest',
      traces: { topics: ['otlp_spans'], encoding: 'otlp_proto' },
    };
    const path = join(dir, 'spans.json');
    const ingest = await Ingest.open(IngestConfig.parse({ tickMs: 200 }), { log, registry: new Registry() });
    const request = (from: number) =>
      traceRequest(
        Array.from({ length: SPANS }, (_, n) => ({ endMs: Date.now(), service: 'cart', name: `op-${from + n}` })),
      );
    await Promise.all(Array.from({ length: 20 }, (_, n) => ingest.export('traces', request(n * SPANS), 'default')));
    collector = await startCollector(join(dir, 'in'), {
      receivers: { kafka: receiver },
      exporters: { file: { path } },
      from: ['kafka'],
    });
    const names = () => {
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      return new Set([...text.matchAll(/"name":"(op-\d+)"/g)].map(([, name]) => name));
    };
    await expect.poll(() => names().size, { timeout: 30_000, interval: 500 }).toBe(20 * SPANS);
    await ingest.drain();
  },
);
