import {
  type AuditEntry,
  type Objective,
  type Series,
  seriesKey,
  type Subject,
  type TrailMessage,
  type Window,
} from '@flyball/contracts';
import { DurationSketch } from '@flyball/stats';
import type { CommandView, ServiceView } from './read-model.ts';
import type { AuditView, CommandDetail, SeriesTotal, ServiceDetail, ServiceSummary } from './schemas.ts';

/** `<environment>:<service>`, each percent-encoded: what a service is called in a path. */
function serviceId(environment: string, service: string): string {
  return `${encodeURIComponent(environment)}:${encodeURIComponent(service)}`;
}

/** One line of a service. */
export function summaryOf(
  subject: Pick<Subject, 'environment' | 'service'>,
  { assessment, lastSeenAtMs }: ServiceView,
): ServiceSummary {
  const { environment, service } = subject;
  return {
    id: serviceId(environment, service),
    environment,
    service,
    state: stateOf(assessment),
    windowMs: assessment === undefined ? null : assessment.endMs - assessment.startMs,
    requests: assessment?.requests ?? 0,
    errors: assessment?.errors ?? 0,
    p50Ms: assessment?.p50Ms ?? null,
    p95Ms: assessment?.p95Ms ?? null,
    coverage: assessment?.coverage ?? 0,
    versions: assessment?.versions.filter(({ requests }) => requests > 0).map(({ version }) => version) ?? [],
    budgetLeftRatio: leastOf(assessment?.standings?.map(({ budgetLeftRatio }) => budgetLeftRatio) ?? []),
    lastSeenAtMs,
  };
}

function leastOf(ratios: readonly number[]): number | null {
  return ratios.length === 0 ? null : Math.min(...ratios);
}

function stateOf(assessment: ServiceView['assessment']): ServiceSummary['state'] {
  if (assessment === undefined) return 'unknown';
  const { errorsSli, latencySli, baseline, coverage, isSilent, versions, instances = [] } = assessment;
  if (errorsSli.verdict === 'fail' || latencySli.verdict === 'fail') return 'failing';
  // A canary or one instance that fails may be too small a share for the service as a whole to show it.
  if ([...versions, ...instances].some(({ verdict, requests }) => verdict === 'fail' && requests > 0)) return 'failing';
  if (coverage < 1 || isSilent) return 'unknown';
  return baseline.state === 'warming' ? 'warming' : 'ok';
}

/** A service with its sums and windows. */
export function detailOf(
  summary: ServiceSummary,
  { assessment }: ServiceView,
  windows: readonly Window[],
  objectives: readonly Objective[],
): ServiceDetail {
  return {
    ...summary,
    objectives: [...objectives],
    fromMs: windows[0]?.startMs ?? null,
    untilMs: windows.at(-1)?.endMs ?? null,
    spans: windows.reduce((sum, { spans }) => sum + spans, 0),
    lateSpans: windows.reduce((sum, { lateSpans }) => sum + lateSpans, 0),
    totals: totalsOf(windows),
    windows: windows.map(pointOf),
    assessment: assessment ?? null,
  };
}

/** A window as a point of every chart. */
function pointOf({ startMs, endMs, coverage, lateSpans, series }: Window): ServiceDetail['windows'][number] {
  const of = series.find(({ view }) => view === 'service');
  const versions = series.filter(({ view }) => view === 'version');
  return {
    ...{ startMs, endMs, coverage, lateSpans },
    requests: of?.count ?? 0,
    errors: of?.errors ?? 0,
    p50Ms: quantileMs(of, 0.5),
    p95Ms: quantileMs(of, 0.95),
    versions: versions.map((each) => {
      const { name: version, count: requests, errors } = each;
      return { version, requests, errors, p95Ms: quantileMs(each, 0.95) };
    }),
  };
}

function totalsOf(windows: readonly Window[]): SeriesTotal[] {
  const sums = new Map<
    string,
    { series: Series; count: number; errors: number; sumUs: number; maxUs: number; sketch: DurationSketch }
  >();
  for (const series of windows.flatMap((window) => window.series)) {
    const key = seriesKey(series);
    const sum = sums.get(key) ?? { series, count: 0, errors: 0, sumUs: 0, maxUs: 0, sketch: new DurationSketch() };
    sums.set(key, sum);
    sum.count += series.count;
    sum.errors += series.errors;
    sum.sumUs += series.sumUs;
    sum.maxUs = Math.max(sum.maxUs, series.maxUs);
    sum.sketch.merge(series.sketch);
  }
  return [...sums.values()].map(({ series: { view, name, kind }, count, errors, sumUs, maxUs, sketch }) => ({
    view,
    name,
    kind,
    count,
    errors,
    meanMs: count === 0 ? null : sumUs / count / 1_000,
    p50Ms: count === 0 ? null : sketch.quantile(0.5) / 1_000,
    p95Ms: count === 0 ? null : sketch.quantile(0.95) / 1_000,
    maxMs: count === 0 ? null : maxUs / 1_000,
  }));
}

function quantileMs(series: Series | undefined, q: number): number | null {
  return series === undefined || series.count === 0 ? null : DurationSketch.from(series.sketch).quantile(q) / 1_000;
}

/** A command with the newest word on it. */
export function commandOf({ command, outcomes }: CommandView): CommandDetail {
  const judgement = outcomes.find((message) => message.type === 'judgement');
  const said = outcomes.filter((message) => message.type === 'outcome');
  const end = said.find((message) => message.status === 'reverted');
  const status = end?.status ?? judgement?.status ?? said[0]?.status ?? (outcomes.length > 0 ? 'claimed' : 'issued');
  return { command, status, outcomes };
}

/** An audit entry with its body read. */
export function auditOf({ tenant, seq, prevHash, hash, body }: AuditEntry): AuditView {
  const { atMs, fact } = JSON.parse(body) as TrailMessage;
  return { tenant, seq, prevHash, hash, atMs, fact };
}
