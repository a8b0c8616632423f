import type { RawTopic, SignalKind } from '@flyball/contracts';
import { LogScan, MetricScan, SPAN_FLAW, TraceScan } from '@flyball/otlp';
import type { Flaw } from './screen.ts';

/** What was found in a request. */
export interface Scanned {
  /** Spans, data points or log records. */
  readonly items: number;
  /** Whether a resource with items has no `service.name`. */
  readonly isUnnamed: boolean;
  /** End of the last item, ms since the Unix epoch. */
  readonly latestMs: number;
  /** What is wrong with an item, given the instant after which it is too early to be true. */
  readonly flawOf: (item: number, earlyAfterMs: number) => Flaw | undefined;
}

/** How one kind of telemetry is taken. */
export interface SignalForm {
  readonly signal: SignalKind;
  readonly topic: RawTopic;
  /** What an item is called: in answers, and in the name of its counter, `flyball_ingest_<items>_total`. */
  readonly items: 'spans' | 'points' | 'log_records';
  /** Method of OTLP/gRPC. */
  readonly grpcPath: string;
  /** Makes a reader. @param seed - for the hash of names. */
  scanner(seed: number): (bytes: Uint8Array) => Scanned;
}

/** The kinds of telemetry. Paths: opentelemetry-proto, the `Export` methods of its collector services. */
export const SIGNALS: readonly SignalForm[] = [
  {
    signal: 'traces',
    topic: 'otlp_spans',
    items: 'spans',
    grpcPath: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    scanner: (seed) => {
      const scan = new TraceScan(seed);
      return (bytes) => {
        scan.read(bytes);
        return {
          items: scan.count,
          isUnnamed: scan.resources.some(({ service }) => service === ''),
          latestMs: scan.endMs.subarray(0, scan.count).reduce((latest, ms) => Math.max(latest, ms), 0),
          flawOf: (span, earlyAfterMs) => {
            if (scan.flaw[span] === SPAN_FLAW.traceId) return 'traceId';
            if (scan.flaw[span] === SPAN_FLAW.spanId) return 'spanId';
            return scan.endMs[span]! > earlyAfterMs ? 'early' : undefined;
          },
        };
      };
    },
  },
  {
    signal: 'metrics',
    topic: 'otlp_metrics',
    items: 'points',
    grpcPath: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    scanner: (seed) => {
      const scan = new MetricScan(seed);
      return (bytes) => {
        scan.read(bytes);
        // Points without a value say that a stream has ended: nothing is wrong with them.
        const times = new Map(scan.points.map(({ index, timeMs }) => [index, timeMs]));
        return {
          items: scan.count,
          isUnnamed: scan.resources.some(({ service }) => service === ''),
          latestMs: scan.points.reduce((latest, { timeMs }) => Math.max(latest, timeMs), 0),
          flawOf: (point, earlyAfterMs) => {
            const flaw = scan.flawed.get(point);
            if (flaw !== undefined) return flaw;
            const timeMs = times.get(point);
            if (timeMs === 0) return 'timeless';
            return timeMs !== undefined && timeMs > earlyAfterMs ? 'early' : undefined;
          },
        };
      };
    },
  },
  {
    signal: 'logs',
    topic: 'otlp_logs',
    items: 'log_records',
    grpcPath: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    scanner: (seed) => {
      const scan = new LogScan(seed);
      return (bytes) => {
        scan.read(bytes);
        return {
          items: scan.logs.length,
          isUnnamed: scan.resources.some(({ service }) => service === ''),
          latestMs: scan.logs.reduce((latest, { timeMs }) => Math.max(latest, timeMs), 0),
          flawOf: (record, earlyAfterMs) => (scan.logs[record]!.timeMs > earlyAfterMs ? 'early' : undefined),
        };
      };
    },
  },
];
