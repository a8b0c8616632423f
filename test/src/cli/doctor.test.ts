import { FlyballProcess } from '@flyball/testing';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

// Goal: who has pointed their own telemetry at Flyball, and sees nothing, learns why and what to do, also before anything has
// come; and who sees a service learns from when on it is judged. Method: the real command beside a real process, into which
// what commonly goes wrong is sent.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const SETTINGS = { FLYBALL_AGGREGATOR_WINDOW_MS: '1000', FLYBALL_AGGREGATOR_GRACE_MS: '500' };

interface Finding {
  readonly status: string;
  readonly about: string;
  readonly cause: string;
  readonly fix: string;
}

let flyball: FlyballProcess;
beforeAll(async () => {
  flyball = await FlyballProcess.start(BIN, SETTINGS);
});
afterAll(async () => {
  expect(await flyball.stop()).toBe(0);
});

/** Runs the command beside this test, which goes on meanwhile. */
async function run(dir: string, ...args: string[]): Promise<{ status: number | null; stdout: string }> {
  const env = { ...process.env, HOME: dir };
  delete (env as Record<string, string | undefined>)['FLYBALL_URL'];
  const child = spawn(BIN, [...args, '--data', dir], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let stdout = '';
  child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout };
}
async function examined(dir = flyball.dir): Promise<{ status: number | null; findings: readonly Finding[] }> {
  const { status, stdout } = await run(dir, 'doctor', '-o', 'json');
  return { status, findings: JSON.parse(stdout) as Finding[] };
}

/** Posts OTLP/JSON; what is no text is sent as JSON. */
const post = (signal: string, body: unknown) =>
  fetch(`${flyball.addresses.otlpHttp}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
function spanAt(endMs: number, service: string, traceId = 'a'.repeat(32)) {
  const attributes = [{ key: 'service.name', value: { stringValue: service } }];
  const time = (ms: number) => `${Math.round(ms)}000000`;
  const about = { traceId, spanId: 'b'.repeat(16), name: 'GET /', kind: 2 };
  const span = { ...about, startTimeUnixNano: time(endMs - 5), endTimeUnixNano: time(endMs) };
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] };
}

test('before anything has come it says that, and how to send', async () => {
  const { status, findings } = await examined();
  expect(status).toBe(3);
  expect(findings.find(({ about }) => about === 'traces')).toEqual({
    status: 'fail',
    about: 'traces',
    cause: 'no traces have come since the start',
    fix: expect.stringContaining(`OTEL_EXPORTER_OTLP_ENDPOINT=${flyball.addresses.otlpGrpc}`),
  });
  for (const about of ['process', 'clock', 'OTLP/gRPC', 'OTLP/HTTP', 'lanes', 'log']) {
    expect(findings.find((each) => each.about === about)).toMatchObject({ status: 'ok' });
  }
  // Whatever is not well has one line of cause and one of fix.
  for (const { cause, fix, status: how } of findings) {
    expect(cause).toMatch(/^[^\n]+$/);
    expect(fix).toMatch(how === 'ok' ? /^$/ : /^[^\n]+$/);
  }
});

test('the start says how to send one’s own telemetry, and that the policies only watch', async () => {
  await expect.poll(() => flyball.stderr).toContain('Ctrl-C stops');
  expect(flyball.stderr).toContain(`export OTEL_EXPORTER_OTLP_ENDPOINT=${flyball.addresses.otlpGrpc}`);
  expect(flyball.stderr).toContain(`endpoint: "${new URL(flyball.addresses.otlpGrpc).host}"`);
  expect(flyball.stderr).toMatch(/Policies +3 that only watch \(autonomy observe\)/);
  const { findings } = await examined();
  const policies = findings.filter(({ about }) => about.startsWith('policy '));
  expect(policies).toHaveLength(3);
  for (const { cause } of policies) expect(cause).toMatch(/^observe: .* does nothing$/);
});

test('what was rejected is told with its reason, and a new service with the time from which on it is judged', async () => {
  expect((await post('traces', spanAt(Date.now(), 'cart'))).status).toBe(200);
  expect((await post('traces', spanAt(Date.now() + 3_600_000, 'cart'))).status).toBe(200);
  expect((await post('traces', spanAt(Date.now(), 'cart', '0'.repeat(32)))).status).toBe(200);
  expect((await post('logs', '{"resourceLogs": 7')).status).toBe(400);
  // It goes on being called: who is silent for a window is not warming, but unknown.
  let accepted = 1;
  const requests = setInterval(() => {
    accepted += 1;
    void post('traces', spanAt(Date.now(), 'cart', String(accepted).padStart(32, 'a')));
  }, 200);
  await expect
    .poll(async () => (await run(flyball.dir, 'services')).stdout, { timeout: 20_000, interval: 100 })
    .toMatch(/default:cart +warming, alarms from \d\d:\d\d \(\d+ of 30 windows\)/);
  const { status, findings } = await examined();
  clearInterval(requests);
  expect(status).toBe(0);
  const told = (about: string) => findings.filter((each) => each.about === about).map(({ cause }) => cause);
  expect(told('traces')).toEqual([
    expect.stringMatching(/^\d+ spans in \d+ requests since the start$/),
    '1 were rejected: their trace id is none',
    '1 were rejected: their time is more than 60 s ahead',
  ]);
  expect(told('logs')).toContain('1 were rejected: what was sent is no OTLP');
  expect(told('default/cart')).toEqual([expect.stringMatching(/^warming, alarms from /)]);
  expect(told('automation')).toEqual(['nobody has said yet that it may act']);
  expect(told('bindings')).toEqual(['no target is bound to cart: decisions about them end in no_target']);
  await expect
    .poll(() => flyball.stderr, { timeout: 5_000 })
    .toMatch(/First telemetry of default\/cart: warming, alarms from \d\d:\d\d/);
});

test('a binding of a service that nobody hears is told, with what may be meant, and one to a driver that is gone', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'flyball-doctor-'));
  const told = async (of: string) => (await examined(dir)).findings.find(({ about }) => about === of);
  const twin = await FlyballProcess.start(BIN, { ...SETTINGS, FLYBALL_STANDALONE_TWIN_URL: 'http://127.0.0.1:9' }, dir);
  for (const [environment, service] of [
    ['default', 'cart'],
    ['default', 'crat'],
    ['prod', 'cart'],
  ]) {
    const { status } = await fetch(`${twin.addresses.api}/v1/bindings`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${twin.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ environment, service, target: { driver: 'twin', name: 'cart' } }),
    });
    expect(status).toBe(200);
  }
  const sent = await fetch(`${twin.addresses.otlpHttp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(spanAt(Date.now(), 'cart')),
  });
  expect(sent.status).toBe(200);
  await expect.poll(() => told('binding default/cart'), { timeout: 20_000, interval: 300 }).toBeUndefined();
  expect(await told('binding default/crat')).toMatchObject({
    status: 'warn',
    cause: expect.stringMatching(/^no telemetry of crat has come since it was bound, \d+ s ago/),
    fix: expect.stringMatching(/service\.name.* cart is heard$/),
  });
  expect((await told('binding prod/cart'))?.fix).toMatch(/ cart is heard in default$/);
  await twin.halt();
  const without = await FlyballProcess.start(BIN, SETTINGS, dir);
  expect(await told('binding default/cart')).toMatchObject({
    status: 'warn',
    cause: expect.stringMatching(/^no driver twin \(known: none.*no_driver$/),
  });
  await without.stop();
});

test('what is not there, and what has stopped, fails with what to start', async () => {
  const missing = join(tmpdir(), 'flyball-nowhere');
  const none = await examined(missing);
  expect(none.status).toBe(3);
  expect(none.findings.map(({ status, about }) => [status, about])).toEqual([
    ['fail', 'data directory'],
    ['fail', 'process'],
  ]);
  const dir = mkdtempSync(join(tmpdir(), 'flyball-doctor-'));
  const other = await FlyballProcess.start(BIN, SETTINGS, dir);
  await other.halt();
  const { status, findings } = await examined(dir);
  expect([status, findings.at(-1)]).toMatchObject([
    3,
    { status: 'fail', about: 'process', fix: expect.stringContaining('flyball start') },
  ]);
  rmSync(dir, { recursive: true, force: true });
});
