/** Everything that is fixed about a topic. */
interface TopicFacts {
  /** What routes a message: its lane is `hash(key) mod lanes`. `null`: not keyed. */
  readonly key: string | null;
  readonly writers: readonly string[];
  readonly readers: readonly string[];
  /** Facts enter only here; all other topics can be rebuilt from these. */
  readonly holdsFacts: boolean;
  /** Whether it may use the last share of the disk: what must get through when telemetry does not. */
  readonly isReserved: boolean;
  /** Never trimmed: facts that are kept for ever, and what an edge reads from its start each time it starts. */
  readonly isKept: boolean;
}

const telemetry = { holdsFacts: false, isReserved: false, isKept: false };
const reserved = { holdsFacts: false, isReserved: true, isKept: false };
const kept = { ...reserved, isKept: true };

/**
 * The line as a value, in the order data flows. Nothing else may name a topic. `otlp_*` hold serialised OTLP
 * requests, as the OpenTelemetry Collector's Kafka exporter and receiver do.
 */
export const TOPOLOGY = {
  otlp_spans: { ...telemetry, holdsFacts: true, key: null, writers: ['ingest'], readers: ['local'] },
  otlp_metrics: { ...telemetry, holdsFacts: true, key: null, writers: ['ingest'], readers: ['local'] },
  otlp_logs: { ...telemetry, holdsFacts: true, key: null, writers: ['ingest'], readers: ['local'] },
  'flyball.traces': { ...telemetry, key: 'trace id', writers: ['local'], readers: ['joiner'] },
  'flyball.partials': { ...telemetry, key: 'subject', writers: ['local', 'joiner'], readers: ['global'] },
  'flyball.windows': { ...telemetry, key: 'subject', writers: ['global', 'relay'], readers: ['detector'] },
  'flyball.control': { ...kept, holdsFacts: true, key: 'tenant', writers: ['api'], readers: ['relay', 'actuator'] },
  'flyball.signals': { ...reserved, key: 'environment', writers: ['detector', 'relay'], readers: ['planner'] },
  'flyball.incidents': { ...kept, key: 'environment', writers: ['planner'], readers: ['api', 'notifier'] },
  'remediation.commands': { ...kept, key: 'target', writers: ['planner'], readers: ['actuator', 'relay'] },
  'remediation.outcomes': {
    ...kept,
    holdsFacts: true,
    key: 'target',
    writers: ['actuator', 'planner'],
    readers: ['actuator', 'relay'],
  },
  'flyball.trail': { ...reserved, key: 'tenant', writers: ['relay'], readers: ['auditor'] },
  'flyball.audit': { ...kept, key: 'tenant', writers: ['auditor'], readers: ['api'] },
  'flyball.dead_letters': { ...telemetry, key: 'lane', writers: ['local'], readers: ['api'] },
} as const satisfies Record<string, TopicFacts>;

/** Name of a topic. */
export type Topic = keyof typeof TOPOLOGY;

/** Kinds of telemetry, as OTLP names them in paths. */
export type SignalKind = 'traces' | 'metrics' | 'logs';

/** The topic of each kind of telemetry. */
export const RAW_TOPICS = { traces: 'otlp_spans', metrics: 'otlp_metrics', logs: 'otlp_logs' } as const;
export type RawTopic = (typeof RAW_TOPICS)[SignalKind];

/** All topics, in the order data flows. */
export const TOPICS = Object.keys(TOPOLOGY) as Topic[];

/** Lanes of every topic on one machine. Fixed at birth: another count is another truth. */
export const EMBEDDED_LANES = 4;
