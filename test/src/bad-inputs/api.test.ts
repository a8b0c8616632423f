import { FlyballProcess } from '@flyball/testing';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// Goal: whatever is asked of the API, it answers with a problem that says what is wrong and what to do, never 500, and puts nothing
// on record that it has refused; and the command line says it in two lines. Method: the real process and the real command; inputs 13,
// 14, 27 to 29, 36, 37 and 40 of docs/bad-inputs.md.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const HOUR_MS = 3_600_000;

let flyball: FlyballProcess;
beforeAll(async () => {
  flyball = await FlyballProcess.start(BIN);
});
afterAll(async () => {
  expect(await flyball.stop()).toBe(0);
});

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(path: string, { method = 'GET', body, headers = {} }: Asked = {}) {
  const authorization = { authorization: `Bearer ${flyball.token}` };
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(`${flyball.addresses.api}${path}`, {
    method,
    headers: { ...authorization, ...type, ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type') ?? '', text };
}
/** How many words are on record. */
const words = async () => (await flyball.get<{ items: unknown[] }>('/v1/audit?limit=1000')).items.length;

async function expectProblem(path: string, asked: Asked, statuses: readonly number[]): Promise<void> {
  const { status, type, text } = await ask(path, asked);
  expect(statuses, `${asked.method ?? 'GET'} ${path.slice(0, 80)}: ${status} ${text.slice(0, 200)}`).toContain(status);
  expect(type).toContain('application/problem+json');
  expect(JSON.parse(text)).toMatchObject({
    ...{ status, code: expect.stringMatching(/^[A-Z][A-Z_]+$/), detail: expect.any(String) },
    ...{ fix: expect.stringMatching(/./), requestId: expect.any(String) },
  });
  // Nothing of the inside: no path of a file, no line of code.
  expect(text).not.toMatch(/node_modules|\.ts:\d|at \w+ \(/);
}

/** Every route that takes an id. */
const BY_ID = ['services', 'incidents', 'commands', 'audit'].map((list) => `/v1/${list}/`);

describe('an id that is none', () => {
  const ids = [
    '..%2F..%2Fetc%2Fpasswd',
    '%00',
    '%2500',
    'x'.repeat(499),
    'a:b:c',
    '%F0%9F%92%A9',
    '__proto__',
    '-1',
    '*',
  ];
  test.each(BY_ID.flatMap((route) => ids.map((id) => [route, id] as const)))('%s%s is not found', async (route, id) => {
    await expectProblem(route + id, {}, [404]);
  });
  test.each(BY_ID)('%s with 10 KB, or what is no text, is refused', async (route) => {
    await expectProblem(route + 'x'.repeat(10_000), {}, [400, 404, 414]);
    await expectProblem(`${route}%E0%A4%A`, {}, [400, 404]);
  });
  test.each(['/v1/silences/', '/v1/freezes/'])('of %s takes nothing back', async (route) => {
    for (const id of ids) await expectProblem(route + id, { method: 'DELETE' }, [404]);
  });
});

describe('a list', () => {
  test.each(['/v1/incidents', '/v1/commands', '/v1/audit', '/v1/changes'])('%s has its bounds', async (path) => {
    for (const limit of ['-1', '0', '1e9', '1000000000', 'all', '1.5', '', 'NaN']) {
      await expectProblem(`${path}?limit=${limit}`, {}, [400]);
    }
  });
  test('of an environment needs its name', async () => {
    await expectProblem('/v1/graph', {}, [400]);
    await expectProblem(`/v1/graph?environment=${'x'.repeat(5_000)}`, {}, [400, 414]);
    expect(await ask('/v1/graph?environment=nowhere')).toMatchObject({ status: 200 });
  });
});

describe('a credential', () => {
  test.each([
    ['none', { authorization: '' }],
    ['another', { authorization: 'Bearer wrong' }],
    ['half of it', { authorization: 'Bearer' }],
    ['of another scheme', { authorization: 'Basic dG9rZW46dG9rZW4=' }],
    ['a token that says it needs no signature', { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }],
    ['a cookie that was made up', { authorization: '', cookie: 'flyball_session=1.2.3' }],
  ])('%s opens no route', async (_what, headers) => {
    const { paths } = JSON.parse((await ask('/openapi.json')).text) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x')] as const),
    );
    const guarded = routes.filter(([, path]) => path.startsWith('/v1/') && !path.startsWith('/v1/session'));
    expect(guarded.length).toBeGreaterThan(20);
    for (const [method, path] of guarded) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      await expectProblem(path, { method, headers, body }, [401]);
    }
  });
});

const until = () => Date.now() + HOUR_MS;
const silence = (changes: object) => ({
  environment: 'prod',
  service: 'web',
  reason: 'test',
  untilMs: until(),
  ...changes,
});
const change = (changes: object) => ({ environment: 'prod', service: 'web', kind: 'deploy', ...changes });
const binding = (changes: object) => ({
  environment: 'prod',
  service: 'web',
  target: { driver: 'twin', name: 'web' },
  ...changes,
});

describe('a word that cannot be taken is refused, and nothing is on record:', () => {
  test.each<[string, string, string, unknown]>([
    ['a change without a body', 'POST', '/v1/changes', undefined],
    ['a change that is a list', 'POST', '/v1/changes', [change({})]],
    ['a change that is cut', 'POST', '/v1/changes', '{"environment":'],
    ['a change of another kind', 'POST', '/v1/changes', change({ kind: 'reboot' })],
    ['a change with more than it has', 'POST', '/v1/changes', change({ tenant: 'other' })],
    ['a change by somebody else', 'POST', '/v1/changes', change({ actor: 'admin' })],
    ['a change with a name of 10 KB', 'POST', '/v1/changes', change({ service: 'x'.repeat(10_000) })],
    ['a change of 2 MB', 'POST', '/v1/changes', change({ summary: 'x'.repeat(2_000_000) })],
    ['a change with a prototype', 'POST', '/v1/changes', '{"__proto__":{"isAdmin":true},"environment":"e"}'],
    ['a binding without a target', 'PUT', '/v1/bindings', binding({ target: null })],
    [
      'a binding to a driver that there is not',
      'PUT',
      '/v1/bindings',
      binding({ target: { driver: 'kubernetes', name: 'web' } }),
    ],
    ['a binding with a URL for a driver', 'PUT', '/v1/bindings', binding({ target: { driver: 7, name: 'x' } })],
    ['a silence without a reason', 'POST', '/v1/silences', silence({ reason: ' ' })],
    ['a silence without an end', 'POST', '/v1/silences', silence({ untilMs: undefined })],
    ['a silence for ever', 'POST', '/v1/silences', silence({ untilMs: Date.now() * 10 })],
    ['a silence that is over', 'POST', '/v1/silences', silence({ untilMs: 0 })],
    ['a silence until a word', 'POST', '/v1/silences', silence({ untilMs: 'tomorrow' })],
    ['a silence of a pattern', 'POST', '/v1/silences', silence({ service: '(a+)+$*x' })],
    ['a freeze for ever', 'POST', '/v1/freezes', silence({ service: undefined, untilMs: 1e300 })],
    [
      'a freeze that begins after its end',
      'POST',
      '/v1/freezes',
      {
        ...{ environment: 'prod', reason: 'test', fromMs: until() + HOUR_MS, untilMs: until() },
      },
    ],
    ['a freeze that begins at no time', 'POST', '/v1/freezes', silence({ service: undefined, fromMs: '0' })],
    ['a pause with a number for its reason', 'PUT', '/v1/killswitch', { reason: 7 }],
    ['a pause with a reason of 10 KB', 'PUT', '/v1/killswitch', { reason: 'x'.repeat(10_000) }],
    ['a yes to what nobody asked', 'POST', '/v1/approvals/c-none', { verdict: 'approve', digest: 'x' }],
    ['a yes without what was shown', 'POST', '/v1/approvals/c-none', { verdict: 'approve' }],
    ['a yes that is none', 'POST', '/v1/approvals/c-none', { verdict: 'yes', digest: 'x' }],
  ])('%s', async (_what, method, path, body) => {
    const before = await words();
    await expectProblem(path, { method, body }, [400, 404, 413, 422]);
    expect(await words()).toBe(before);
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
  });

  test('a driver is named with those that there are', async () => {
    const body = binding({ target: { driver: 'twin', name: 'web' } });
    const { status, text } = await ask('/v1/bindings', { method: 'PUT', body });
    expect(status).toBe(422);
    const detail = 'no driver twin (known: none: no connection of kind target is named)';
    expect(JSON.parse(text)).toMatchObject({
      code: 'DRIVER_UNKNOWN',
      detail,
      fix: expect.stringContaining('connection'),
    });
  });

  test('one in another form', async () => {
    for (const type of ['text/plain', 'application/xml', 'application/json\ta', 'application/json garbage']) {
      const asked = { method: 'POST', body: JSON.stringify(change({})), headers: { 'content-type': type } };
      await expectProblem('/v1/changes', asked, [400, 415]);
    }
    const trailing = { method: 'POST', body: `${JSON.stringify(change({}))}garbage` };
    await expectProblem('/v1/changes', trailing, [400]);
  });

  test('and what is right beside it is taken', async () => {
    expect(await ask('/v1/changes', { method: 'POST', body: change({ version: 'v2' }) })).toMatchObject({
      status: 201,
    });
  });
});

describe('the command line, asked what cannot be answered, says why and what to do in two lines:', () => {
  let html: Server;
  let home: string;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'flyball-bad-'));
    html = createServer((request, response) => {
      response.writeHead(request.url === '/v1/incidents' ? 502 : 200, { 'content-type': 'text/html' });
      response.end('<html>\n<body>\nanother server\n');
    });
    await new Promise<void>((resolve) => html.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    html.close();
    rmSync(home, { recursive: true, force: true });
  });

  const run = (url: string, token: string, ...args: string[]) =>
    new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
      const env = { ...process.env, HOME: home, FLYBALL_TOKEN: token };
      resolve(spawnSync(BIN, [...args, '--url', url, '--data', home], { encoding: 'utf8', env }));
    });
  const twoLines = /^flyball: [^\n]+\nfix: [^\n]+\n$/;

  test.each([
    ['a token that is not right', () => [flyball.addresses.api, 'wrong', 'services'], /UNAUTHORIZED/],
    ['a URL that is none', () => ['nonsense', 'x', 'services'], /nonsense/],
    ['a port that nobody listens on', () => ['http://127.0.0.1:1', 'x', 'services'], /no Flyball answers/],
    ['an incident that is not there', () => [flyball.addresses.api, flyball.token, 'explain', 'inc-none'], /NOT_FOUND/],
    ['a silence without an end', () => [flyball.addresses.api, flyball.token, 'silence', 'web', '--reason', 'x'], /./],
    [
      'a span of time that is none',
      () => [
        ...[flyball.addresses.api, flyball.token, 'silence', 'web', '--environment', 'prod'],
        ...['--for', 'soon', '--reason', 'x'],
      ],
      /soon/,
    ],
  ] as const)('%s', async (_what, words, says) => {
    const [url, token, ...args] = words() as [string, string, ...string[]];
    const { status, stdout, stderr } = await run(url, token, ...args);
    expect([1, 2]).toContain(status);
    expect(stderr).toMatch(twoLines);
    expect(stderr).toMatch(says);
    expect(stdout).toBe('');
  });

  test('a server that is something else', async () => {
    // Asked from another process: the server of this one must be free to answer.
    const { port } = html.address() as AddressInfo;
    for (const command of ['services', 'incidents']) {
      const { promise, resolve } = Promise.withResolvers<{ status: number | null; stderr: string }>();
      const { spawn } = await import('node:child_process');
      const env = { ...process.env, HOME: home, FLYBALL_TOKEN: 'x' };
      const child = spawn(BIN, [command, '--url', `http://127.0.0.1:${port}`, '--data', home], { env });
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      child.on('close', (status) => resolve({ status, stderr }));
      const ended = await promise;
      expect(ended).toMatchObject({ status: 1, stderr: expect.stringMatching(twoLines) });
    }
  });
});
