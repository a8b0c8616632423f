import type { AnomalyKind } from '@flyball/contracts';

/** Which way a metric must move to be trouble. */
type BadWay = 'up' | 'down' | 'both';

/** What a metric tells of. */
export interface MetricKind {
  readonly kind: AnomalyKind;
  readonly badWay: BadWay;
}

/** Words in a metric's name, the first that is found decides; whole words, dots and underscores part them. */
const WORDS: readonly (readonly [RegExp, AnomalyKind, BadWay])[] = [
  [/\b(success|availability|available|up|healthy|ready)\b/, 'availability', 'down'],
  [/\b(errors?|failures?|failed|exceptions?|rejected|dropped|discarded|5xx|4xx|aborted|timeouts?)\b/, 'errors', 'up'],
  [/\b(duration|latency|response|elapsed|rtt|wait|p50|p75|p90|p95|p99|p999)\b/, 'latency', 'up'],
  [/\b(cpu|throttled|throttling|load average|load ?(1|5|15)m?)\b/, 'cpu', 'up'],
  [/\b(memory|mem|heap|rss|gc|swap|oom)\b/, 'memory', 'up'],
  [
    /\b(network|net|tcp|udp|retransmits?|receive|transmit|rx|tx|packets?|bandwidth|ingress|egress)\b/,
    'network',
    'both',
  ],
  [
    /\b(queue|queued|lag|backlog|pending|utilization|saturation|disk|diskio|iops|filesystem|io|inodes|connections?|threads?|pool|sockets?|fds?|descriptors?|usage|used|busy|active)\b/,
    'saturation',
    'up',
  ],
  [
    /\b(requests?|calls?|throughput|workload|load|rps|qps|ops|syscalls?|messages?|events?|hits|rate|count|total)\b/,
    'traffic',
    'both',
  ],
];

/** Units that tell when no word does. */
const UNITS = new Map<string, readonly [AnomalyKind, BadWay]>([
  ['s', ['latency', 'up']],
  ['ms', ['latency', 'up']],
  ['{cpu}', ['cpu', 'up']],
  ['{request}', ['traffic', 'both']],
  ['{request}/s', ['traffic', 'both']],
  ['{error}', ['errors', 'up']],
]);

/**
 * Kind of a metric, from its name and unit.
 *
 * Source: OpenTelemetry semantic conventions, "System metrics", "Container metrics", "HTTP metrics"; names of Prometheus exporters.
 */
export function kindOfMetric(metric: string, unit: string): MetricKind {
  const name = metric
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replaceAll(/[._\-/:]+/g, ' ');
  for (const [words, kind, badWay] of WORDS) if (words.test(name)) return { kind, badWay };
  const [kind, badWay] = UNITS.get(unit) ?? ['unknown', 'both'];
  return { kind, badWay };
}
