import { buildApi, ControlWriter, ReadModel } from '@flyball/api';
import { TOPICS } from '@flyball/contracts';
import { HOUR_MS } from '@flyball/core';
import { MemoryHotStore, MemoryLog } from '@flyball/memory';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';

// Goal: whoever opens the printed link is in, once; nobody else is; and a page of somebody else cannot pull the kill switch
// with the cookie of a person who is. Method: the real API, asked by `inject`, with a console of one file.

const HOST = '127.0.0.1:8080';
const OWN = { host: HOST, origin: `http://${HOST}`, 'x-flyball-console': '1' };
const bearer = { authorization: 'Bearer secret' };

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-console-'));
  mkdirSync(join(dir, 'assets'));
  writeFileSync(join(dir, 'index.html'), '<!doctype html><title>Flyball</title>');
  writeFileSync(join(dir, 'assets', 'a.js'), 'export {};');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type App = Awaited<ReturnType<typeof buildApi>>;
let model: ReadModel;
let app: App;
async function appOf(token: string): Promise<App> {
  const log = new MemoryLog(() => Date.now());
  for (const topic of TOPICS) await log.create(topic, 1);
  model = new ReadModel(log, new MemoryHotStore());
  const console = () => ({ state: 'ready' as const, dir });
  const rest = { registry: new Registry(), token, console, lanes: async () => [], isStopping: () => false };
  return buildApi({ model, words: new ControlWriter(log), ...rest });
}
beforeEach(async () => {
  app = await appOf('secret');
});
afterEach(async () => {
  vi.useRealTimers();
  await app.close();
});

async function ticket(of = app): Promise<string> {
  const response = await of.inject({ method: 'POST', url: '/v1/session/tickets', headers: bearer });
  expect(response.statusCode).toBe(201);
  return (response.json() as { ticket: string }).ticket;
}

/** Opens a link. @returns where it leads, and the cookie it sets, if any. */
async function openLink(text: string, more: Record<string, string> = {}, at = '/') {
  const { statusCode, headers } = await app.inject({ url: `${at}?t=${text}`, headers: more });
  expect(statusCode).toBe(303);
  const setCookie = headers['set-cookie'] as string | undefined;
  return { location: headers.location, setCookie, cookie: setCookie?.split(';')[0] };
}

const killSwitch = (headers: Record<string, string>, method: 'GET' | 'PUT' = 'GET') =>
  app.inject({ method, url: '/v1/killswitch', headers, ...(method === 'PUT' && { payload: { reason: 'test' } }) });

describe('a link', () => {
  test('opens a session that no script can read and no other site sends, once', async () => {
    const text = await ticket();
    const { location, setCookie, cookie } = await openLink(text, {}, '/incidents');
    expect(location).toBe('/incidents');
    expect(setCookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect((await killSwitch({ cookie: cookie! })).statusCode).toBe(200);
    expect(await openLink(text)).toMatchObject({ location: '/?link=used', setCookie: undefined });
  });

  test('is void an hour later, in another process, and when it was made up', async () => {
    const other = await appOf('secret');
    const elsewhere = await ticket(other);
    await other.close();
    expect((await openLink(elsewhere)).setCookie).toBeUndefined();
    expect((await openLink('9999999999999.a.b')).setCookie).toBeUndefined();
    vi.useFakeTimers({ toFake: ['Date'] });
    const text = await ticket();
    vi.setSystemTime(Date.now() + HOUR_MS);
    expect((await openLink(text)).setCookie).toBeUndefined();
  });

  test('leads nowhere but to this server', async () => {
    expect((await openLink(await ticket(), {}, '/services//evil.example')).location).toBe('/services//evil.example');
    const { statusCode, headers } = await app.inject({ url: `//evil.example/?t=${await ticket()}` });
    expect([303, 404]).toContain(statusCode);
    expect(headers.location ?? '').not.toMatch(/^\/\/|^http/);
  });
});

describe('a session', () => {
  test('outlives a restart with the same token, ends after a day, and is worth nothing to another installation', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { cookie } = await openLink(await ticket());
    await app.close();
    app = await appOf('secret');
    expect((await killSwitch({ cookie: cookie! })).statusCode).toBe(200);
    expect((await killSwitch({ cookie: `${cookie!.slice(0, -2)}xx` })).statusCode).toBe(401);
    await app.close();
    app = await appOf('another');
    expect((await killSwitch({ cookie: cookie! })).statusCode).toBe(401);
    await app.close();
    app = await appOf('secret');
    vi.setSystemTime(Date.now() + 24 * HOUR_MS);
    expect((await killSwitch({ cookie: cookie! })).statusCode).toBe(401);
  });

  test('changes things from our own pages only, and is named in what it says', async () => {
    const { cookie } = await openLink(await ticket());
    const foreign: Record<string, string>[] = [
      { host: HOST },
      { host: HOST, origin: 'https://evil.example', 'x-flyball-console': '1' },
      { host: HOST, origin: 'null', 'x-flyball-console': '1' },
      { host: HOST, origin: `http://${HOST}` },
    ];
    for (const headers of foreign) {
      const refused = await killSwitch({ cookie: cookie!, ...headers }, 'PUT');
      expect([refused.statusCode, refused.json()]).toMatchObject([403, { code: 'FOREIGN_PAGE' }]);
    }
    await model.start();
    expect((await killSwitch({ cookie: cookie!, ...OWN }, 'PUT')).statusCode).toBe(200);
    await expect
      .poll(async () => (await killSwitch({ cookie: cookie! })).json() as object)
      .toMatchObject({ isPaused: true, actor: 'console', reason: 'test' });
    await model.stop();
  });

  test('is also had for the token, and given up', async () => {
    const signIn = (token: string, headers: Record<string, string> = OWN) =>
      app.inject({ method: 'POST', url: '/v1/session', headers, payload: { token } });
    expect((await signIn('wrong')).statusCode).toBe(401);
    expect((await signIn('secret', { host: HOST })).statusCode).toBe(403);
    const { headers } = await signIn('secret');
    const cookie = String(headers['set-cookie']).split(';')[0]!;
    expect((await killSwitch({ cookie })).statusCode).toBe(200);
    const out = await app.inject({ method: 'DELETE', url: '/v1/session', headers: { ...OWN, cookie } });
    expect(String(out.headers['set-cookie'])).toContain('Max-Age=0');
  });
});

describe('pages', () => {
  test.each(['/', '/services/a%3Ab', '/incidents/inc-1', '/approvals', '/audit', '/data'])(
    '%s is the console, and lets no foreign script, frame or form in',
    async (url) => {
      const { statusCode, headers, body } = await app.inject({ url });
      expect([statusCode, body]).toEqual([200, expect.stringContaining('<title>Flyball</title>')]);
      const csp = String(headers['content-security-policy']);
      for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"]) {
        expect(csp).toContain(rule);
      }
      expect(csp).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
    },
  );

  test('nothing beyond the built files can be had, whatever the path', async () => {
    expect((await app.inject({ url: '/assets/a.js' })).statusCode).toBe(200);
    for (const url of [
      '/assets/../index.html',
      '/assets/%2e%2e/index.html',
      '/assets/..%2f..%2fetc/passwd',
      '/assets/',
    ]) {
      expect((await app.inject({ url })).statusCode, url).toBe(404);
    }
  });

  test('without a console say what to do, and the API goes on', async () => {
    await app.close();
    const log = new MemoryLog(() => 1);
    for (const topic of TOPICS) await log.create(topic, 1);
    const rest = { registry: new Registry(), token: 'secret', lanes: async () => [], isStopping: () => false };
    model = new ReadModel(log, new MemoryHotStore());
    app = await buildApi({ model, words: new ControlWriter(log), ...rest });
    const { statusCode, body } = await app.inject({ url: '/' });
    expect([statusCode, body]).toEqual([503, expect.stringContaining('npm run console:build')]);
    expect((await killSwitch(bearer)).statusCode).toBe(200);
  });
});
