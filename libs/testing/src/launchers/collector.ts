import { freePorts } from '@flyball/host';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildCollector, COLLECTOR_BINARY } from './collector-build.ts';
import { startNativePart } from './native-part.ts';
import type { MissingPart, RealPart } from './real-part.ts';

const START_TIMEOUT_MS = 20_000;

/** What a Collector does with traces: one receiver, one exporter, as its settings file names them. */
export interface CollectorPipeline {
  /** YAML of the receiver's settings by its name; `otlp` is there always, on a free port. */
  readonly receivers?: Readonly<Record<string, unknown>>;
  readonly exporters: Readonly<Record<string, unknown>>;
  /** Names of the receivers that feed the exporters. */
  readonly from: readonly string[];
}

/**
 * Starts a Collector with one pipeline of traces. Its URL is that of its OTLP/gRPC receiver.
 *
 * @param dir - folder for its files; created.
 */
export async function startCollector(dir: string, pipeline: CollectorPipeline): Promise<RealPart | MissingPart> {
  const missing = buildCollector();
  if (missing !== undefined) return { missing };
  mkdirSync(dir, { recursive: true });
  const port = await freePorts(2);
  const { receivers = {}, exporters, from } = pipeline;
  const otlp = {
    protocols: { grpc: { endpoint: `127.0.0.1:${port}` }, http: { endpoint: `127.0.0.1:${port + 1}` } },
  };
  const settings = {
    receivers: { otlp, ...receivers },
    exporters,
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: from, exporters: Object.keys(exporters) } },
    },
  };
  const path = join(dir, 'collector.json'); // JSON is YAML.
  writeFileSync(path, JSON.stringify(settings));
  const options = {
    command: COLLECTOR_BINARY,
    args: [`--config=${path}`],
    logFile: join(dir, 'collector.log'),
    isReady: (log: string) => log.includes('Everything is ready'),
    timeoutMs: START_TIMEOUT_MS,
  };
  return startNativePart(options, { url: `http://127.0.0.1:${port}` });
}
