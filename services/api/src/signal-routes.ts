import { metricKey, seriesKey, type Series, type Window } from '@flyball/contracts';
import { DurationSketch } from '@flyball/stats';
import { z } from 'zod';
import { keysCalled, missing, type TypedServer } from './read-routes.ts';
import { Id } from './schemas.ts';
import type { ApiPorts } from './server.ts';

/** A metric stream of a service, with the windows that hold a point of it. */
const MetricStream = z.object({
  metric: z.string(),
  unit: z.string(),
  /** `gauge`, or what increases: then values are per second; of histograms they are means of observations. */
  type: z.string(),
  attributes: z.string(),
  instance: z.string(),
  points: z.array(z.object({ endMs: z.number(), value: z.number(), count: z.number() })),
});
export type MetricStream = z.infer<typeof MetricStream>;

/** Log records of a service that are alike, over the windows that are kept. */
const LogTotal = z.object({
  view: z.enum(['severity', 'template']),
  name: z.string(),
  count: z.int(),
  errors: z.int(),
  /** Exemplar, hex, or ''. */
  traceId: z.string(),
});
export type LogTotal = z.infer<typeof LogTotal>;

/** Calls from one service to this one (`caller`), the network before it (`gap`), or its own time (`self`). */
const EdgeTotal = z.object({
  view: z.enum(['caller', 'gap', 'self']),
  name: z.string(),
  kind: z.int(),
  count: z.int(),
  errors: z.int(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
});
export type EdgeTotal = z.infer<typeof EdgeTotal>;

const itemsOf = <Schema extends z.ZodType>(schema: Schema) => z.object({ items: z.array(schema) });

/** `GET /v1/services/{id}/metrics|logs|edges`: what is known of a service beside its requests. */
export function signalRoutes(app: TypedServer, { model }: ApiPorts): void {
  const windowsOf = async (id: string, kind: 'metrics' | 'logs' | 'edges'): Promise<readonly Window[]> => {
    for (const key of keysCalled(id)) {
      if ((await model.service(key)) !== undefined) return model.windows(key, kind);
    }
    throw missing('service', id);
  };
  const params = Id;
  app.get(
    '/v1/services/:id/metrics',
    { schema: { params, response: { 200: itemsOf(MetricStream) } } },
    async ({ params: { id } }) => ({ items: streamsOf(await windowsOf(id, 'metrics')) }),
  );
  app.get(
    '/v1/services/:id/logs',
    { schema: { params, response: { 200: itemsOf(LogTotal) } } },
    async ({ params: { id } }) => ({ items: logsOf(await windowsOf(id, 'logs')) }),
  );
  app.get(
    '/v1/services/:id/edges',
    { schema: { params, response: { 200: itemsOf(EdgeTotal) } } },
    async ({ params: { id } }) => ({ items: edgesOf(await windowsOf(id, 'edges')) }),
  );
}

function streamsOf(windows: readonly Window[]): MetricStream[] {
  const streams = new Map<string, MetricStream>();
  for (const { endMs, metrics } of windows) {
    for (const series of metrics) {
      const { metric, unit, type, attributes, instance, value, count } = series;
      const key = metricKey(series);
      const stream = streams.get(key) ?? { metric, unit, type, attributes, instance, points: [] };
      streams.set(key, stream);
      stream.points.push({ endMs, value, count });
    }
  }
  return [...streams].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, stream]) => stream);
}

/** The most frequent first. */
function logsOf(windows: readonly Window[]): LogTotal[] {
  const totals = new Map<string, LogTotal>();
  for (const series of windows.flatMap((window) => window.series)) {
    if (series.view !== 'severity' && series.view !== 'template') continue;
    const { view, name, errorTraceId } = series;
    const total = totals.get(seriesKey(series)) ?? { view, name, count: 0, errors: 0, traceId: '' };
    totals.set(seriesKey(series), total);
    total.count += series.count;
    total.errors += series.errors;
    total.traceId ||= errorTraceId;
  }
  return [...totals.values()].sort((a, b) => b.errors - a.errors || b.count - a.count || (a.name < b.name ? -1 : 1));
}

function edgesOf(windows: readonly Window[]): EdgeTotal[] {
  const sums = new Map<string, { series: Series; count: number; errors: number; sketch: DurationSketch }>();
  for (const series of windows.flatMap((window) => window.series)) {
    const sum = sums.get(seriesKey(series)) ?? { series, count: 0, errors: 0, sketch: new DurationSketch() };
    sums.set(seriesKey(series), sum);
    sum.count += series.count;
    sum.errors += series.errors;
    sum.sketch.merge(series.sketch);
  }
  return [...sums.values()].flatMap(({ series: { view, name, kind }, count, errors, sketch }) => {
    if (view !== 'caller' && view !== 'gap' && view !== 'self') return [];
    const quantileMs = (q: number) => (count === 0 ? null : sketch.quantile(q) / 1_000);
    return [{ view, name, kind, count, errors, p50Ms: quantileMs(0.5), p95Ms: quantileMs(0.95) }];
  });
}
