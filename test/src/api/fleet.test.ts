import { buildApi, ControlWriter, ReadModel } from '@flyball/api';
import { OVERFLOW, type Series, type Window } from '@flyball/contracts';
import { createLogger, HotSink } from '@flyball/host';
import { MemoryHotStore } from '@flyball/memory';
import { DurationSketch } from '@flyball/stats';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assessmentOf, HotLog, subjectCalled, windowOf } from '../hot/hot-log.ts';

// Goal: the fleet as a whole is what its windows say: who calls whom, how well each service is seen, what was changed.
// Method: windows into the real log, through the hot store, asked of the real API.

const T = 1_800_000_000_000;
const WINDOW_MS = 10_000;
const OBJECTIVE = { sli: 'errors', objectiveRatio: 0.99, windowMs: 2_000, thresholdMs: null } as const;
const headers = { authorization: 'Bearer secret' };

let hotLog: HotLog;
let sink: HotSink;
let model: ReadModel;
let words: ControlWriter;
let app: Awaited<ReturnType<typeof buildApi>>;
beforeEach(async () => {
  hotLog = new HotLog();
  await hotLog.create();
  const { log } = hotLog;
  const hot = new MemoryHotStore();
  sink = new HotSink({ log, hot }, createLogger('silent'));
  model = new ReadModel(log, hot);
  await model.start();
  words = new ControlWriter(log);
  const rest = { registry: new Registry(), token: 'secret', lanes: async () => [], isStopping: () => false };
  app = await buildApi({ model, words, ...rest });
});
afterEach(() => Promise.all([sink.stop(), model.stop(), app.close()]));

const get = async <T>(url: string) => {
  const response = await app.inject({ url, headers });
  expect(response.statusCode, url).toBe(200);
  return response.json() as T;
};
const filled = async () => {
  await sink.start();
  await expect.poll(() => model.isRebuilding(), { timeout: 10_000 }).toBe(false);
};

function calls(caller: string, count: number, errors: number, ms: number): Series {
  const sketch = new DurationSketch();
  for (let each = 0; each < count; each += 1) sketch.add(ms * 1_000);
  const durations = { sumUs: count * ms * 1_000, minUs: ms * 1_000, maxUs: ms * 1_000, sketch: sketch.toData() };
  return { view: 'caller', name: caller, kind: 0, count, errors, ...durations, slowestTraceId: '', errorTraceId: '' };
}

const edgesOf = (callee: string, endMs: number, series: Series[]): Window => ({
  ...windowOf(callee, endMs),
  kind: 'edges',
  series,
});

test('the graph of an environment sums the calls of the newest windows, and of nothing else', async () => {
  for (const service of ['web', 'cart', OVERFLOW]) await hotLog.assessment(assessmentOf(service, T));
  await hotLog.window(edgesOf('cart', T - 100 * WINDOW_MS, [calls('old', 9, 9, 9)]));
  for (let index = 0; index < 12; index += 1) {
    await hotLog.window(edgesOf('cart', T - index * WINDOW_MS, [calls('web', 10, 1, 20), calls('job', 1, 0, 5)]));
  }
  await hotLog.window({ ...edgesOf('cart', T, [calls('web', 1, 1, 1)]), subject: subjectCalled('cart', 'stage') });
  await filled();
  const graph = await get<{ nodes: object[]; edges: { p95Ms: number }[] }>('/v1/graph?environment=prod');
  expect(graph.nodes).toEqual([OVERFLOW, 'cart', 'web'].map((service) => ({ service, state: 'ok' })));
  expect(graph.edges).toMatchObject([
    { caller: 'job', callee: 'cart', requests: 12, errors: 0 },
    { caller: 'web', callee: 'cart', requests: 120, errors: 12 },
  ]);
  expect(graph.edges[1]!.p95Ms).toBeCloseTo(20, 0);
  expect(await get('/v1/graph?environment=none')).toEqual({ nodes: [], edges: [] });
});

test('sight names the worst coverage of the newest windows, and what came late or early; the least visible come first', async () => {
  for (const service of ['clear', 'dim']) await hotLog.assessment(assessmentOf(service, T));
  await hotLog.window({ ...windowOf('clear', T, 40), lateSpans: 2 });
  await hotLog.window({ ...windowOf('dim', T - WINDOW_MS, 5), coverage: 0.75 });
  await hotLog.window({ ...windowOf('dim', T, 5), earlySpans: 3 });
  await filled();
  const { items } = await get<{ items: object[] }>('/v1/sight');
  expect(items).toMatchObject([
    { id: 'prod:dim', coverage: 0.75, windows: 2, spans: 10, lateSpans: 0, earlySpans: 3 },
    { id: 'prod:clear', coverage: 1, windows: 1, spans: 40, lateSpans: 2, earlySpans: 0 },
  ]);
});

test('who looks before anything has come sees the first service as soon as it is there, not the emptiness that was kept', async () => {
  await sink.start();
  expect(await get('/v1/sight')).toMatchObject({ items: [] });
  expect(await get('/v1/graph?environment=prod')).toEqual({ nodes: [], edges: [] });
  await hotLog.assessment(assessmentOf('cart', T));
  await expect.poll(() => get('/v1/services')).toMatchObject({ items: [{ id: 'prod:cart' }] });
  expect(await get('/v1/sight')).toMatchObject({ items: [{ id: 'prod:cart' }] });
  expect(await get('/v1/graph?environment=prod')).toMatchObject({ nodes: [{ service: 'cart' }] });
});

test('changes are listed newest first, of all services or of one', async () => {
  const change = (service: string, version: string) =>
    app.inject({
      method: 'POST',
      url: '/v1/changes',
      headers,
      payload: { environment: 'prod', service, kind: 'deploy', version },
    });
  for (const [service, version] of [['web', 'v1'] as const, ['cart', 'v1'] as const, ['web', 'v2'] as const]) {
    expect((await change(service, version)).statusCode).toBe(201);
  }
  const versionsOf = async (query: string) => {
    const { items } = await get<{ items: { service: string; version: string; atMs: number }[] }>(`/v1/changes${query}`);
    expect(items.every(({ atMs }) => atMs > 0)).toBe(true);
    return items.map(({ service, version }) => `${service} ${version}`);
  };
  await expect.poll(() => versionsOf('')).toEqual(['web v2', 'cart v1', 'web v1']);
  expect(await versionsOf('?environment=prod&service=web&limit=1')).toEqual(['web v2']);
  expect(await versionsOf('?environment=stage')).toEqual([]);
});

test('a service shows its objectives, and the versions of each window', async () => {
  await hotLog.assessment(assessmentOf('cart', T));
  const version = { ...calls('v7', 4, 1, 30), view: 'version' as const };
  await hotLog.window({ ...windowOf('cart', T, 4), series: [version] });
  await filled();
  expect(await get('/v1/services/prod:cart')).toMatchObject({
    objectives: [],
    budgetLeftRatio: null,
    windowMs: WINDOW_MS,
    windows: [{ endMs: T, versions: [{ version: 'v7', requests: 4, errors: 1 }] }],
  });
  const kept = { objective: OBJECTIVE, sinceMs: T, requests: 100, bad: 0, budgetLeftRatio: 0.4, burns: [] };
  const standings = [kept, { ...kept, bad: 2, budgetLeftRatio: -1 }];
  await hotLog.assessment({ ...assessmentOf('cart', T + 1), standings });
  await expect.poll(() => get('/v1/services')).toMatchObject({ items: [{ id: 'prod:cart', budgetLeftRatio: -1 }] });
  expect(await get('/v1/services/prod:cart')).toMatchObject({ assessment: { standings } });
  const about = { tenant: 'default', actor: 'test', environment: 'prod', service: 'cart' };
  await words.say({ type: 'slo', ...about, objectiveRatio: 0.99, windowMs: 1_000 });
  const latency = { sli: 'latency', thresholdMs: 300, objectiveRatio: 0.95, windowMs: 2_000 } as const;
  await words.say({ type: 'slo', ...about, ...latency });
  await words.say({ type: 'slo', ...about, sli: 'errors', objectiveRatio: 0.995, windowMs: 2_000 });
  await expect
    .poll(async () => (await get<{ objectives: object }>('/v1/services/prod:cart')).objectives)
    .toEqual([{ sli: 'errors', objectiveRatio: 0.995, windowMs: 2_000, thresholdMs: null }, latency]);
});
