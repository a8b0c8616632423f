import { type Series, subjectOf } from '@flyball/contracts';
import { SECOND_MS } from '@flyball/core';
import { DurationSketch } from '@flyball/stats';
import { z } from 'zod';
import { ChangeView, type GraphEdge, ServiceGraph, SightView } from './fleet-schemas.ts';
import type { ReadModel, ServiceView } from './read-model.ts';
import type { TypedServer } from './read-routes.ts';
import type { ApiPorts } from './server.ts';
import { summaryOf } from './views.ts';

/** Windows of each service that a picture of the whole fleet is made of: two minutes, with windows of 10 s. */
const NEWEST_WINDOWS = 12;
/** A picture of the fleet is made at most so often, however many look at it. */
const SAME_FOR_MS = 3 * SECOND_MS;
/** Services whose windows are read at once. */
const AT_ONCE = 16;

const name = z.string().max(1_100);
const Filter = z.object({ environment: name.optional(), service: name.optional() });
const ChangeFilter = Filter.extend({ limit: z.coerce.number().int().min(1).max(1_000).default(100) });

/** `GET /v1/graph|sight|changes`: the fleet as a whole. */
export function fleetRoutes(app: TypedServer, { model }: ApiPorts): void {
  const graphs = new Recent(
    (environment) => graphOf(model, environment),
    ({ nodes }) => nodes.length > 0,
  );
  const sights = new Recent(
    () => sightOf(model),
    (services) => services.length > 0,
  );
  app.get(
    '/v1/graph',
    { schema: { querystring: z.object({ environment: name }), response: { 200: ServiceGraph } } },
    async ({ query: { environment } }) => graphs.of(environment),
  );
  app.get(
    '/v1/sight',
    { schema: { response: { 200: z.object({ items: z.array(SightView), isRebuilding: z.boolean() }) } } },
    async () => ({ items: await sights.of(''), isRebuilding: await model.isRebuilding() }),
  );
  app.get(
    '/v1/changes',
    {
      schema: {
        querystring: ChangeFilter,
        response: { 200: z.object({ items: z.array(ChangeView), isRebuilding: z.boolean() }) },
      },
    },
    async ({ query: { environment, service, limit } }) => {
      const items = [...model.changes.toArray()]
        .filter((change) => environment === undefined || change.environment === environment)
        .filter((change) => service === undefined || change.service === service)
        .reverse();
      return { items: items.slice(0, limit), isRebuilding: model.isBehind };
    },
  );
}

/**
 * Answers that are kept for a moment, by what was asked. One that failed is not kept, nor one that holds nothing: it costs
 * nothing to make, and who waits for their first service asks again at once.
 */
class Recent<T> {
  readonly #make: (of: string) => Promise<T>;
  readonly #holdsAny: (answer: T) => boolean;
  readonly #kept = new Map<string, { readonly atMs: number; readonly answer: Promise<T> }>();

  constructor(make: (of: string) => Promise<T>, holdsAny: (answer: T) => boolean) {
    this.#make = make;
    this.#holdsAny = holdsAny;
  }

  of(what: string): Promise<T> {
    const nowMs = performance.now();
    for (const [key, { atMs }] of this.#kept) if (nowMs - atMs > SAME_FOR_MS) this.#kept.delete(key);
    const known = this.#kept.get(what);
    if (known !== undefined) return known.answer;
    const answer = this.#make(what);
    this.#kept.set(what, { atMs: nowMs, answer });
    const forget = () => {
      if (this.#kept.get(what)?.answer === answer) this.#kept.delete(what);
    };
    answer.then((made) => {
      if (!this.#holdsAny(made)) forget();
    }, forget);
    return answer;
  }
}

/** Services of an environment, and who calls whom. */
async function graphOf(model: ReadModel, environment: string): Promise<ServiceGraph> {
  const views = (await model.services()).filter(({ key }) => subjectOf(key).environment === environment);
  const edges = await forEach(views, async ({ key }) => {
    const windows = await model.windows(key, 'edges', NEWEST_WINDOWS);
    return callersOf(
      subjectOf(key).service,
      windows.flatMap(({ series }) => series),
    );
  });
  const nodes = views.map((view) => summaryOf(subjectOf(view.key), view));
  return {
    nodes: nodes.map(({ service, state }) => ({ service, state })).sort((a, b) => (a.service < b.service ? -1 : 1)),
    edges: edges.flat().sort((a, b) => (`${a.caller}\n${a.callee}` < `${b.caller}\n${b.callee}` ? -1 : 1)),
  };
}

function callersOf(callee: string, series: readonly Series[]): GraphEdge[] {
  const calls = Map.groupBy(
    series.filter(({ view }) => view === 'caller'),
    (each) => each.name,
  );
  return [...calls].map(([caller, of]) => {
    const sketch = new DurationSketch();
    for (const each of of) sketch.merge(each.sketch);
    const requests = of.reduce((sum, { count }) => sum + count, 0);
    const errors = of.reduce((sum, each) => sum + each.errors, 0);
    return { caller, callee, requests, errors, p95Ms: requests === 0 ? null : sketch.quantile(0.95) / 1_000 };
  });
}

/** How well each service can be seen; the worst first. */
async function sightOf(model: ReadModel): Promise<SightView[]> {
  const rows = await forEach(await model.services(), async (view: ServiceView): Promise<SightView> => {
    const { id, environment, service, state, lastSeenAtMs } = summaryOf(subjectOf(view.key), view);
    const windows = await model.windows(view.key, 'traces', NEWEST_WINDOWS);
    const sum = (of: 'spans' | 'lateSpans' | 'earlySpans') => windows.reduce((total, window) => total + window[of], 0);
    return {
      ...{ id, environment, service, state, lastSeenAtMs },
      coverage: windows.length === 0 ? 0 : Math.min(...windows.map(({ coverage }) => coverage)),
      ...{ windows: windows.length, spans: sum('spans'), lateSpans: sum('lateSpans'), earlySpans: sum('earlySpans') },
    };
  });
  return rows.sort((a, b) => a.coverage - b.coverage || b.lateSpans - a.lateSpans || (a.id < b.id ? -1 : 1));
}

/** Results in the order of the items, a few at once. */
async function forEach<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  }
  return results;
}
