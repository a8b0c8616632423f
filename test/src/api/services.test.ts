import { buildApi, ControlWriter, ReadModel } from '@flyball/api';
import { subjectKey } from '@flyball/contracts';
import { createLogger, HotSink } from '@flyball/host';
import { MemoryHotStore } from '@flyball/memory';
import { FaultyHotStore } from '@flyball/testing';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assessmentOf, HotLog, subjectCalled, windowOf } from '../hot/hot-log.ts';

// Goal: services come from the hot store, and a hot store that is away takes nothing else with it. Method: the real API
// over a log and a store in memory, asked by `inject`.

const T = 1_800_000_000_000;
const EVENTUALLY = { timeout: 10_000, interval: 20 };
const headers = { authorization: 'Bearer secret' };

let hotLog: HotLog;
let hot: FaultyHotStore;
let sink: HotSink;
let model: ReadModel;
let app: Awaited<ReturnType<typeof buildApi>>;
beforeEach(async () => {
  hotLog = new HotLog();
  await hotLog.create();
  const { log } = hotLog;
  hot = new FaultyHotStore(() => new MemoryHotStore());
  sink = new HotSink({ log, hot }, createLogger('silent'));
  model = new ReadModel(log, hot);
  await model.start();
  const words = new ControlWriter(log);
  const rest = { registry: new Registry(), token: 'secret', lanes: async () => [], isStopping: () => false };
  app = await buildApi({ model, words, ...rest });
});
afterEach(async () => {
  await Promise.all([sink.stop(), model.stop(), app.close()]);
});

const get = async (url: string) => {
  const response = await app.inject({ url, headers });
  return { status: response.statusCode, body: response.json() as Record<string, never> };
};

test('a list says that it is being rebuilt until every lane has caught up', async () => {
  await hotLog.window(windowOf('cart', T));
  await hotLog.assessment(assessmentOf('cart', T));
  expect((await get('/v1/services')).body).toEqual({ items: [], isRebuilding: true });
  expect((await get('/readyz?verbose')).body).toMatchObject({ isRebuilding: true });
  await sink.start();
  await expect.poll(() => model.isRebuilding(), EVENTUALLY).toBe(false);
  const { items, isRebuilding } = (await get('/v1/services')).body;
  expect([items, isRebuilding]).toMatchObject([[{ id: 'prod:cart', state: 'ok', lastSeenAtMs: T }], false]);
  expect((await get('/v1/services/prod:cart')).body).toMatchObject({ spans: 1, untilMs: T, assessment: { endMs: T } });
});

test('a hot store that is away is a problem by name of services alone', async () => {
  await sink.start();
  await expect.poll(() => model.isRebuilding(), EVENTUALLY).toBe(false);
  hot.fault = () => 'before';
  for (const path of ['/v1/services', '/v1/services/prod:cart']) {
    expect(await get(path)).toMatchObject({ status: 503, body: { code: 'HOT_UNAVAILABLE', fix: expect.any(String) } });
  }
  for (const path of ['/v1/incidents', '/v1/commands', '/v1/audit']) {
    expect(await get(path)).toMatchObject({ status: 200, body: { items: [], isRebuilding: false } });
  }
  expect((await get('/v1/killswitch')).status).toBe(200);
  expect(await get('/readyz?verbose')).toMatchObject({ status: 200, body: { isRebuilding: true } });
  hot.fault = () => 'none';
  expect(await get('/v1/services')).toMatchObject({ status: 200, body: { isRebuilding: false } });
});

test.each([
  ['a b', 'x/y'],
  ['a:b', 'c'],
  ['a', 'b:c'],
  ['a%20b', 'ü'],
])('environment %j and service %j are found by their id, as it is and encoded', async (environment, service) => {
  const subject = subjectCalled(service, environment);
  await hotLog.window({ ...windowOf('', T), subject });
  await sink.start();
  await expect.poll(() => hot.service(subjectKey(subject)), EVENTUALLY).toBeDefined();
  const [{ id }] = (await get('/v1/services')).body['items'] as unknown as [{ id: string }];
  for (const path of [id, encodeURIComponent(id)]) {
    expect((await get(`/v1/services/${path}`)).body).toMatchObject({ environment, service, spans: 1 });
  }
});

test('an assessment that this release cannot read is shown as not known', async () => {
  const key = subjectKey(subjectCalled('cart'));
  const value = new TextEncoder().encode('{"type":"assessment","from":"a later release"}');
  const changes = [{ type: 'assessment' as const, key, endMs: T, value }];
  await hot.apply({ lane: 'x', fromOffset: 0, offset: 1, isFirst: true, isCaughtUp: true, changes });
  expect((await get('/v1/services')).body['items']).toMatchObject([{ id: 'prod:cart', state: 'unknown' }]);
});

test('a service whose canary or one instance fails is failing, though as a whole it is well', async () => {
  const healthy = assessmentOf('cart', T);
  const { errorsSli, latencySli } = healthy;
  const part = { requests: 3, errors: 3, p95Ms: 1, verdict: 'fail' as const, errorsSli, latencySli };
  const canary = { ...part, version: 'v2', role: 'canary' as const, firstSeenMs: T, trafficRatio: 0.05 };
  await hotLog.assessment({ ...healthy, subject: subjectCalled('canary'), versions: [canary] });
  await hotLog.assessment({ ...healthy, subject: subjectCalled('gone'), versions: [{ ...canary, requests: 0 }] });
  await hotLog.assessment({ ...healthy, subject: subjectCalled('host'), instances: [{ ...part, instance: 'i-1' }] });
  await sink.start();
  await expect.poll(() => model.isRebuilding(), EVENTUALLY).toBe(false);
  expect((await get('/v1/services')).body).toMatchObject({
    items: [
      { service: 'canary', state: 'failing' },
      { service: 'gone', state: 'ok' },
      { service: 'host', state: 'failing' },
    ],
  });
});
