/** Everything that is fixed about a topic. */
interface TopicFacts {
  /** What routes a message: its lane is `hash(key) mod lanes`. `null`: not keyed. */
  readonly key: string | null;
  readonly writers: readonly string[];
  readonly reader: string | null;
  /** Facts enter only here; all other topics can be rebuilt from these. */
  readonly holdsFacts: boolean;
  /** Whether it may use the last share of the disk: what must get through when telemetry does not. */
  readonly isReserved: boolean;
}

/**
 * The line as a value, in the order data flows. Nothing else may name a topic. `otlp_*` hold serialised OTLP
 * requests, as the OpenTelemetry Collector's Kafka exporter and receiver do.
 */
export const TOPOLOGY = {
  otlp_spans: { key: null, writers: ['ingest'], reader: 'aggregator', holdsFacts: true, isReserved: false },
  'flyball.dead_letters': { key: 'lane', writers: ['aggregator'], reader: null, holdsFacts: false, isReserved: false },
} as const satisfies Record<string, TopicFacts>;

/** Name of a topic. */
export type Topic = keyof typeof TOPOLOGY;

/** Lanes of every topic on one machine. Fixed at birth: another count is another truth. */
export const EMBEDDED_LANES = 4;
