import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { FlyballProcess } from '@flyball/testing';
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// Goal: somebody with the stock OpenTelemetry SDK points it at Flyball and sees their services, operations, versions,
// counts and latencies, right. Method: the real command, the real exporter, real sockets; then the command line.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const SETTINGS = { FLYBALL_AGGREGATOR_WINDOW_MS: '1000', FLYBALL_AGGREGATOR_GRACE_MS: '500' };
let flyball: FlyballProcess;
beforeAll(async () => {
  flyball = await FlyballProcess.start(BIN, SETTINGS);
});
afterAll(async () => {
  expect(await flyball.stop()).toBe(0);
});

/** Sends spans of a service by the SDK, and waits until all are acknowledged. */
async function send(
  service: string,
  version: string,
  spans: number,
  durationMs: number,
  errors: number,
): Promise<void> {
  const exporter = new OTLPTraceExporter({ url: flyball.addresses.otlpGrpc });
  const resource = resourceFromAttributes({
    'service.name': service,
    'service.version': version,
    'deployment.environment.name': 'e2e',
  });
  const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('e2e');
  const endMs = Date.now();
  for (let index = 0; index < spans; index += 1) {
    const span = tracer.startSpan('GET /cart', { kind: SpanKind.SERVER, startTime: endMs - durationMs });
    if (index < errors) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(endMs);
  }
  tracer.startSpan('SELECT cart', { kind: SpanKind.CLIENT, startTime: endMs - 3 }).end(endMs);
  await provider.forceFlush();
  await provider.shutdown();
}

interface Detail {
  spans: number;
  totals: { view: string; name: string; kind: number; count: number; errors: number; p95Ms: number; meanMs: number }[];
}

describe('a stock SDK', () => {
  test('finds its services, operations and versions in the API, with right counts and latencies', async () => {
    await send('cart', '1.0.0', 40, 25, 4);
    await send('cart', '1.1.0', 10, 250, 0);
    await expect
      .poll(async () => (await flyball.get<Detail>('/v1/services/e2e:cart')).spans, { timeout: 20_000, interval: 200 })
      .toBe(52);
    const { totals } = await flyball.get<Detail>('/v1/services/e2e:cart');
    const of = (view: string, name: string) => totals.find((total) => total.view === view && total.name === name);
    // A root client span is a request too: nothing called this service but the test itself.
    expect(of('operation', 'GET /cart')).toMatchObject({ count: 50, errors: 4, kind: 2 });
    expect(of('operation', 'SELECT cart')).toMatchObject({ count: 2, errors: 0, kind: 3 });
    expect(of('version', '1.0.0')).toMatchObject({ count: 41, errors: 4 });
    expect(of('version', '1.1.0')).toMatchObject({ count: 11, errors: 0 });
    expect(of('operation', 'GET /cart')!.meanMs).toBeCloseTo((40 * 25 + 10 * 250) / 50, 1);
    expect(Math.abs(of('operation', 'GET /cart')!.p95Ms - 250)).toBeLessThan(2.5);
  });
});

describe('the command line', () => {
  const run = (...args: string[]) =>
    spawnSync(BIN, [...args, '--data', flyball.dir], {
      encoding: 'utf8',
      cwd: tmpdir(),
      env: { ...process.env, HOME: flyball.dir },
    });

  test('runs from any folder under the Node of the system, and prints data only', () => {
    const { stdout, stderr, status } = run('services', '-o', 'json');
    expect([status, stderr]).toEqual([0, '']);
    // Unknown, if a window without telemetry has ended since.
    const state = expect.stringMatching(/^(warming|unknown)$/) as string;
    expect(JSON.parse(stdout)).toMatchObject([{ id: 'e2e:cart', service: 'cart', state }]);
    expect(run('services').stdout).toMatch(/^ID +STATE/);
    expect(run('services', '-o', 'yaml').stdout).toMatch(/^- id: e2e:cart/);
    const system = execFileSync('/usr/bin/env', ['node', '--version'], {
      encoding: 'utf8',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    });
    expect(Number(/v(\d+)/.exec(system)![1])).toBeGreaterThanOrEqual(20);
  });

  test('send-test sends a span and sees it', () => {
    const { stdout, status } = run('send-test', '--timeout', '20');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^acknowledged in \d+ ms, shown in \d+ ms$/m);
  });

  test('pause and resume reach the log, and a fresh start is paused', async () => {
    expect(await flyball.get('/v1/killswitch')).toMatchObject({ isPaused: true, reason: 'no word on record' });
    expect(run('resume').status).toBe(0);
    await expect.poll(() => flyball.get('/v1/killswitch')).toMatchObject({ isPaused: false });
    expect(run('pause', '--reason', 'lunch').status).toBe(0);
    await expect.poll(() => flyball.get('/v1/killswitch')).toMatchObject({ isPaused: true, reason: 'lunch' });
    // The policies that only watch, and the two words.
    await expect.poll(() => run('audit', 'verify').stdout).toMatch(/default +ok +5 +5/);
  });

  test('answers mistakes with one line of cause and one of fix, and its exit code', () => {
    expect(run('explain', 'inc-none')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^flyball: NOT_FOUND.*\nfix: .*\n$/),
    });
    expect(run('servicse')).toMatchObject({ status: 2 });
    expect(run('services', '-o', 'xml')).toMatchObject({ status: 2 });
    const away = spawnSync(BIN, ['services', '--url', 'http://127.0.0.1:1', '--data', flyball.dir], {
      encoding: 'utf8',
    });
    expect(away).toMatchObject({ status: 1, stderr: expect.stringMatching(/no Flyball answers/) });
    expect(spawnSync(BIN, ['audit', 'verify', '--data', '/nonexistent'], { encoding: 'utf8' }).status).toBe(4);
  });

  test('a second process on the same data is refused by name, and so is a taken port', () => {
    expect(run('start', '--no-demo')).toMatchObject({ status: 1, stderr: expect.stringMatching(/LOG_LOCKED/) });
    const port = new URL(flyball.addresses.api).port;
    const other = spawnSync(BIN, ['start', '--no-demo', '--data', `${flyball.dir}/other`], {
      encoding: 'utf8',
      env: {
        ...process.env,
        HOME: flyball.dir,
        FLYBALL_API_PORT: port,
        FLYBALL_INGEST_GRPC_PORT: '0',
        FLYBALL_INGEST_HTTP_PORT: '0',
      },
    });
    expect(other).toMatchObject({ status: 1, stderr: expect.stringMatching(/PORT_TAKEN/) });
  });
});

describe('the API', () => {
  const ask = (path: string, init: RequestInit = {}) => fetch(`${flyball.addresses.api}${path}`, init);
  const auth = () => ({ authorization: `Bearer ${flyball.token}` });

  test('tells health, readiness, metrics and its own description without a token', async () => {
    expect((await ask('/livez')).status).toBe(200);
    const ready = (await (await ask('/readyz?verbose')).json()) as { status: string; lanes: { state: string }[] };
    expect(ready.status).toBe('ready');
    expect(ready.lanes.length).toBeGreaterThan(30);
    expect(await (await ask('/metrics')).text()).toMatch(/^flyball_ingest_spans_total\{outcome="stored"\} [1-9]/m);
    const openapi = (await (await ask('/openapi.json')).json()) as { openapi: string; paths: Record<string, object> };
    expect(openapi.openapi).toBe('3.1.0');
    for (const path of [
      '/v1/services',
      '/v1/services/{id}',
      '/v1/incidents',
      '/v1/incidents/{id}',
      '/v1/commands',
      '/v1/commands/{id}',
      '/v1/audit',
      '/v1/audit/{id}',
      '/v1/changes',
      '/v1/killswitch',
    ]) {
      expect(Object.keys(openapi.paths)).toContain(path);
    }
  });

  test.each([
    ['no token', '/v1/services', {}, 401, 'UNAUTHORIZED'],
    ['an unknown path', '/v1/nothing', {}, 404, 'NOT_FOUND'],
    ['an id that is none', '/v1/incidents/..%2F..%2Fetc%2Fpasswd', { headers: 'auth' }, 404, 'NOT_FOUND'],
    ['an id with a null byte', '/v1/services/%00', { headers: 'auth' }, 404, 'NOT_FOUND'],
    ['a limit below one', '/v1/incidents?limit=-1', { headers: 'auth' }, 400, 'REQUEST_INVALID'],
    ['a limit beyond all', '/v1/audit?limit=1000000000', { headers: 'auth' }, 400, 'REQUEST_INVALID'],
    [
      'a change without a service',
      '/v1/changes',
      { method: 'POST', headers: 'auth', body: '{"environment":"e2e","kind":"deploy"}' },
      400,
      'REQUEST_INVALID',
    ],
    [
      'a change with an unknown key',
      '/v1/changes',
      { method: 'POST', headers: 'auth', body: '{"environment":"e","service":"s","kind":"deploy","role":"admin"}' },
      400,
      'REQUEST_INVALID',
    ],
    ['a body that is no JSON', '/v1/changes', { method: 'POST', headers: 'auth', body: '{' }, 400, ''],
  ])('answers %s with a problem that says what to do', async (_name, path, init, status, code) => {
    const headers =
      (init as { headers?: string }).headers === 'auth'
        ? { ...auth(), ...('body' in init && { 'content-type': 'application/json' }) }
        : {};
    const response = await ask(path, { ...(init as RequestInit), headers });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const problem = (await response.json()) as Record<string, string>;
    expect(problem).toMatchObject({
      status,
      detail: expect.any(String),
      fix: expect.any(String),
      requestId: expect.any(String),
    });
    if (code !== '') expect(problem['code']).toBe(code);
  });

  test('puts a change on record, durable on answer, and in the audit', async () => {
    const body = JSON.stringify({ environment: 'e2e', service: 'cart', kind: 'deploy', version: '1.1.0' });
    const response = await ask('/v1/changes', {
      method: 'POST',
      headers: { ...auth(), 'content-type': 'application/json' },
      body,
    });
    expect(response.status).toBe(201);
    const { changeId } = (await response.json()) as { changeId: string };
    interface Audit {
      items: { fact: { changeId?: string } }[];
    }
    await expect
      .poll(async () => (await flyball.get<Audit>('/v1/audit')).items.some(({ fact }) => fact.changeId === changeId))
      .toBe(true);
  });
});
