import type { ServiceSummary, SightView, WarmingView } from '@flyball/api';
import { ageText, fail, type Finding, ok, warn } from './finding.ts';
import { type Metrics, sumOf, valuesOf } from './metrics-text.ts';

/** Services that are named one by one. */
const NAMED_MAX = 20;
const SILENT_AFTER_MS = 120_000;
const LATE_RATIO_WARN = 0.01;
const FORMS = [
  ['traces', 'spans'],
  ['metrics', 'points'],
  ['logs', 'log_records'],
] as const;
/** Why ingest rejects, and what helps. */
const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  malformed: ['what was sent is no OTLP', 'send OTLP/protobuf or OTLP/JSON, and the signal that the path names'],
  early: ['their time is more than 60 s ahead', 'set the clock of the sender by NTP'],
  buckets: ['their buckets are not one more than their bounds', 'correct the sender: OTLP asks for that'],
  timeless: ['they have no time', 'let the SDK set start and end; a proxy may have dropped them'],
  traceId: ['their trace id is none', 'trace ids are 16 bytes, not all zero: look at what made or changed them'],
  spanId: ['their span id is none', 'span ids are 8 bytes, not all zero: look at what made or changed them'],
  value: ['their value is no number', 'send gauges, sums and histograms with finite values'],
  too_large: ['one item is larger than 2 MiB', 'limit the attributes of spans and records in the SDK'],
};

/** Per kind of telemetry: whether any came, and what was refused. */
export function signalFindings(metrics: Metrics, otlpGrpc: string): readonly Finding[] {
  return FORMS.flatMap(([signal, items]): Finding[] => {
    const received = sumOf(metrics, `flyball_ingest_${items}_total`, { outcome: 'received' });
    const requests = sumOf(metrics, 'flyball_ingest_requests_total', { signal, outcome: 'received' });
    const rejected = valuesOf(metrics, 'flyball_ingest_rejections_total', { signal }).filter(({ value }) => value > 0);
    const called = items.replace('_', ' ');
    if (requests === 0) {
      const cause = `no ${signal} have come since the start`;
      const fix = `export OTEL_EXPORTER_OTLP_ENDPOINT=${otlpGrpc} in your app; "flyball send-test" proves the way`;
      // Services are judged by their spans; the others add to that.
      return [signal === 'traces' ? fail(signal, cause, fix) : warn(signal, cause, fix)];
    }
    const refusals = rejected.map(({ labels, value }) => {
      const [cause, fix] = REASONS[labels['reason'] ?? ''] ?? [
        labels['reason'] ?? 'unknown',
        'docs/otlp.md says what is taken',
      ];
      return warn(signal, `${value} were rejected: ${cause}`, fix);
    });
    return [ok(signal, `${received} ${called} in ${requests} requests since the start`), ...refusals];
  });
}

/** Per service: when it was last heard, what came late, and what it cannot be judged by yet. */
export function serviceFindings(
  services: readonly (SightView & Pick<ServiceSummary, 'state'>)[],
  warming: readonly WarmingView[],
  nowMs: number,
): readonly Finding[] {
  if (services.length === 0) {
    return [
      warn(
        'services',
        'no service is known yet',
        'a service shows when its first window closes, about 20 s after its first span',
      ),
    ];
  }
  const findings = services.flatMap((service) => oneService(service, warming, nowMs));
  const bad = findings.filter(({ status }) => status !== 'ok');
  const well = services.length - new Set(bad.map(({ about }) => about)).size;
  const shown = bad.slice(0, NAMED_MAX);
  const more = bad.length - shown.length;
  return [
    ok('services', `${services.length} known, of ${well} of them there is nothing to say`),
    ...shown,
    ...(more > 0 ? [warn('services', `${more} more are not well seen`, 'flyball services lists them all')] : []),
  ];
}

function oneService(
  { environment, service, lastSeenAtMs, coverage, spans, lateSpans, earlySpans, id }: SightView,
  warming: readonly WarmingView[],
  nowMs: number,
): readonly Finding[] {
  const about = `${environment}/${service}`;
  const findings: Finding[] = [];
  const ageMs = lastSeenAtMs === null ? null : nowMs - lastSeenAtMs;
  if (ageMs === null || ageMs > SILENT_AFTER_MS) {
    const since = ageMs === null ? 'it has never had a span' : `last span ${ageText(ageMs)} ago`;
    findings.push(warn(about, since, 'is it running, and does its exporter reach us? Its own log says so'));
  }
  if (service === 'unknown_service') {
    findings.push(warn(about, 'spans without service.name end here', 'set OTEL_SERVICE_NAME in each app'));
  }
  const total = spans + lateSpans + earlySpans;
  if (total > 0 && lateSpans / total > LATE_RATIO_WARN) {
    const fix = 'send in batches of a few seconds (OTEL_BSP_SCHEDULE_DELAY), or raise FLYBALL_AGGREGATOR_GRACE_MS';
    findings.push(warn(about, `${lateSpans} of ${total} spans came after their window had closed`, fix));
  }
  if (earlySpans > 0)
    findings.push(warn(about, `${earlySpans} spans came from the future`, 'set the clock of its machine by NTP'));
  if (ageMs !== null && ageMs <= SILENT_AFTER_MS && coverage < 1) {
    findings.push(
      warn(
        about,
        `a window saw only ${(coverage * 100).toFixed(0)} % of the ways that data takes`,
        'wait a minute after a start; else the lanes above say which way is down',
      ),
    );
  }
  const warm = warming.find((each) => each.id === id);
  if (warm !== undefined)
    findings.push(warn(about, warmingText(warm), 'wait: what is normal must be learned before anything is judged'));
  return findings;
}

/** How far the learning of a service's normal has come: `warming, alarms from 09:41 (12 of 30 windows)`. */
export function warmingText({ alarmsFromMs, windows, windowsNeeded }: WarmingView): string {
  const progress = `${windows} of ${windowsNeeded} windows`;
  if (alarmsFromMs === null) return `warming (${progress} with requests)`;
  return `warming, alarms from ${localClock(alarmsFromMs)} (${progress})`;
}

/** Time of day where the reader is: `09:41`. */
function localClock(atMs: number): string {
  const at = new Date(atMs);
  return [at.getHours(), at.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
}
