import { skippable } from '@flyball/testing';
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contrastsOf, labelsOf } from './accessibility.ts';
import { findChromium, openChromium } from './chromium.ts';
import { DemoFleet } from './demo-fleet.ts';
import { STRANGE } from './strange-names.ts';

// Goal: a person at the console sees the fleet as it is within two seconds, can stop everything, can say yes and no, and is
// never at the mercy of what a sender calls itself. Method: a real Chromium before the real process and the demo's shops.

const chromium = findChromium();
const missing = 'missing' in chromium ? skippable(chromium.missing) : '';
/** Two seconds are promised; machines of tests stand still for longer. What does not come by the stream comes after 30 s. */
const LIVE_MS = 10_000;
/** What was held back has been taken in by then, and a change has been read again. */
const SETTLED_MS = 1_000;

let fleet: DemoFleet;
let browser: Browser;
let page: Page;
const troubles: string[] = [];

describe.skipIf(missing !== '')(`the console in a browser ${missing}`, () => {
  beforeAll(async () => {
    if ('missing' in chromium) return;
    fleet = await DemoFleet.open();
    await fleet.play();
    browser = await openChromium(chromium.path);
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') troubles.push(message.text());
    });
    await page.goto(await fleet.stage.client.consoleLink());
    await page.waitForSelector('.live-live');
  });
  afterAll(async () => {
    await browser?.close();
    await fleet?.close();
  });

  const origin = () => new URL(fleet.stage.addresses.api).origin;
  const open = async (path: string, on = page) => {
    await on.goto(`${origin()}${path}`);
    await on.waitForSelector('.live-live');
    await on.waitForSelector('.loading', { state: 'detached' });
  };
  const screens = async () => {
    const [done, asked] = [await fleet.incident('demo'), await fleet.incident('careful')];
    return [
      ...['/', '/services/demo%3Acheckout', '/incidents', `/incidents/${done?.incidentId}`],
      ...[`/incidents/${asked?.incidentId}`, '/approvals', '/audit', '/data'],
    ];
  };

  test('shows the fleet as a list and as a graph, the troubled first', async () => {
    await open('/');
    const first = page.locator('.fleet-rows tbody tr:not(.group)').first();
    await expect.poll(() => first.innerText()).toMatch(/failing|warming|unknown/);
    expect(await page.locator('.graph .node').count()).toBeGreaterThanOrEqual(6);
    await page.selectOption('.filters select', 'demo');
    await expect.poll(() => page.locator('.edge').count()).toBe(6);
    expect(page.url()).toContain('env=demo');
    await page.keyboard.press('/');
    await page.keyboard.type('payment');
    await expect.poll(() => page.locator('.fleet-rows tbody tr:not(.group)').count()).toBe(1);
    // Who opens the address elsewhere sees the same.
    await open(new URL(page.url()).pathname + new URL(page.url()).search);
    expect(await page.locator('.fleet-rows tbody tr:not(.group)').count()).toBe(1);
  });

  test('shows of a service its golden signals, versions, and what happened to it', async () => {
    await open('/services/demo%3Acheckout');
    await expect.poll(() => page.locator('.chart canvas').count()).toBeGreaterThanOrEqual(3);
    const charts = () => page.locator('.chart-plot').evaluateAll((all) => all.map((each) => each.ariaLabel ?? ''));
    await expect.poll(async () => (await charts())[0]).toMatch(/normal is .*\/s\. 2 changes and actions are marked/);
    const titles = (await charts()).map((label) => label.split(':')[0]);
    expect(titles.slice(0, 3)).toEqual(['Traffic', 'Errors', 'Latency']);
    expect(await page.locator('.lane-name').allInnerTexts()).toEqual(expect.arrayContaining(['v1 stable']));
    expect(await page.locator('.happened').innerText()).toMatch(/deploy v2/);
    expect(await page.locator('.happened').innerText()).toMatch(/rollback/);
  });

  test('tells of an incident what was seen, blamed, considered, done, and what would have been', async () => {
    const incident = (await fleet.incident('demo'))!;
    await open(`/incidents/${incident.incidentId}`);
    const text = await page.locator('main').innerText();
    for (const { text: line } of incident.timeline) expect(text).toContain(line);
    for (const reason of incident.causes[0]!.reasons) expect(text).toContain(reason);
    expect(text).toContain(incident.decisions[0]!.counterfactual);
    await page.locator('.decision summary').first().click();
    const gates = await page.locator('.gates li').count();
    expect(gates).toBe(incident.decisions[0]!.gates.length);
    expect(text).toMatch(/applied.*by attempt/s);
    expect(text).toContain('verified');
  });

  test('shows what a service promised and how much of it is left, or how to promise something', async () => {
    await open('/services/demo%3Aweb');
    const facts = () => page.locator('.slo').innerText();
    await expect.poll(facts).toMatch(/99 % without error over 30 days[\s\S]*Budget left\s+[^–]* %[^–]*bad, n=/i);
    expect(await facts()).toMatch(/99 % within 250 ms over 30 days/);
    expect(await facts()).toMatch(/Burn rate, last 5 min\s+\d+(\.\d)? ×[\s\S]*Burn rate, last hour\s+\d+(\.\d)? ×/i);
    await open('/services/demo%3Apayment');
    expect(await facts()).toContain('kind: ServiceLevelObjective');
  });

  test('people say what they know of an incident, as text, and see it in its story at once', async () => {
    await open(`/incidents/${(await fleet.incident('demo'))?.incidentId}`);
    const story = () => page.locator('.timeline').innerText();
    await page.fill('.remarks textarea', '<img src=x onerror=alert(1)> the \u202ecache');
    await page.getByRole('button', { name: 'Add note' }).click();
    await expect.poll(story).toContain('note console: <img src=x onerror=alert(1)> the \\u202ecache');
    expect(await page.locator('.remarks textarea').inputValue()).toBe('');
    await page.getByRole('button', { name: 'Wrong…' }).click();
    await page.fill('.dialog input', 'payment');
    await page.fill('.dialog textarea', 'its pool was full');
    await page.getByRole('button', { name: 'It was wrong' }).click();
    await expect.poll(story).toContain('feedback console: wrong, it was payment: its pool was full');
    expect(await page.locator('.remarks').innerText()).toContain('console said wrong');
  });

  test('a change made elsewhere is seen at once, and the kill switch works both ways', async () => {
    await open('/');
    await fleet.stage.client.request('PUT', '/v1/killswitch', { reason: 'said elsewhere' });
    await page.locator('.pause-strip', { hasText: 'said elsewhere' }).waitFor({ timeout: LIVE_MS });
    await page.click('.chip');
    const resume = page.getByRole('button', { name: 'Resume automation' });
    expect(await resume.getAttribute('aria-disabled')).toBe('true');
    expect(await page.locator('.dialog .why-not').innerText()).toMatch(/Say why/);
    await resume.click({ force: true });
    expect(await fleet.stage.client.request('GET', '/v1/killswitch')).toMatchObject({ isPaused: true });
    await page.fill('.dialog textarea', 'all is well');
    await resume.click();
    await page.locator('.dialog').waitFor({ state: 'detached' });
    expect(await fleet.stage.client.request('GET', '/v1/killswitch')).toMatchObject({
      ...{ isPaused: false, actor: 'console', reason: 'all is well' },
    });
    // Who must stop it need not explain.
    await page.click('.chip');
    await page.getByRole('button', { name: 'Pause all automation' }).click();
    await page.locator('.pause-strip').waitFor({ timeout: LIVE_MS });
    expect(await fleet.stage.client.request('GET', '/v1/killswitch')).toMatchObject({ isPaused: true });
    await fleet.stage.client.request('DELETE', '/v1/killswitch', { reason: 'test' });
    await page.locator('.pause-strip').waitFor({ state: 'detached', timeout: LIVE_MS });
  });

  test('an answer from before a change, which comes after it, does not undo what is shown', async () => {
    const { client } = fleet.stage;
    const [asked, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holdBack = async (route: Route) => {
      const response = await route.fetch();
      asked.resolve();
      await late.promise;
      await route.fulfill({ response });
    };
    // The first answer lets the page begin. All is read again when its stream is there, and may be late.
    await page.route('**/v1/killswitch', holdBack, { times: 1 });
    await page.route('**/v1/killswitch', (route) => route.continue(), { times: 1 });
    await page.goto(`${origin()}/`);
    await page.waitForSelector('.live-live');
    await asked.promise;
    await client.request('PUT', '/v1/killswitch', { reason: 'said meanwhile' });
    const strip = page.locator('.pause-strip', { hasText: 'said meanwhile' });
    await strip.waitFor({ timeout: LIVE_MS });
    late.resolve();
    await page.waitForTimeout(SETTLED_MS);
    expect(await strip.isVisible()).toBe(true);
    await client.request('DELETE', '/v1/killswitch', { reason: 'test' });
    await strip.waitFor({ state: 'detached', timeout: LIVE_MS });
  });

  test('names from telemetry are text: no markup, no terminal code, nothing that runs backwards', async () => {
    await open('/?env=strange');
    await page.locator('.fleet-rows', { hasText: STRANGE.markup }).waitFor();
    const text = await page.locator('main').innerText();
    expect(text).toContain('red \\u001b[31mname\\u001b[0m');
    expect(text).toContain('invoice \\u202egnp.exe');
    await page.getByRole('link', { name: STRANGE.markup, exact: true }).click();
    await page.locator('td', { hasText: STRANGE.image }).first().waitFor();
    for (const path of ['/?env=strange', '/data', page.url().slice(origin().length)]) {
      await open(path);
      expect(await page.evaluate('window.isOwned')).toBeUndefined();
      expect(await page.evaluate('/[\\u0000-\\u0008\\u001b\\u202a-\\u202e]/.test(document.body.innerText)')).toBe(
        false,
      );
      expect(await page.locator('img, main script').count()).toBe(0);
    }
  });

  test('keys lead everywhere, and a no needs its reason', async () => {
    await open('/');
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await expect.poll(() => page.url()).toMatch(/\/approvals$/);
    const card = page.locator('.card').first();
    await card.waitFor();
    expect(await card.innerText()).toMatch(/rollback checkout v2 -> v1[\s\S]*What speaks for it[\s\S]*of the traffic/);
    await page.keyboard.press('d');
    const deny = page.getByRole('button', { name: 'Deny it' });
    expect(await deny.getAttribute('aria-disabled')).toBe('true');
    await page.fill('.dialog textarea', 'known, and being looked at');
    await deny.click();
    await page.locator('.pill-denied').first().waitFor({ timeout: 10_000 });
    await page.keyboard.press('?');
    expect(await page.locator('.dialog').innerText()).toContain('Approve, deny the chosen approval');
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('f');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toMatch(/\/services\//);
  });

  test('a silence is said, shown and ended', async () => {
    await open('/services/demo%3Asearch');
    await page.getByRole('button', { name: 'Silence…' }).click();
    await page.fill('.dialog textarea', 'a planned test');
    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    await page.locator('.dialog').waitFor({ state: 'detached' });
    await open('/incidents');
    const silence = page.locator('.quiet-now li', { hasText: 'a planned test' });
    await silence.getByRole('button', { name: 'End it' }).click();
    await silence.waitFor({ state: 'detached', timeout: LIVE_MS });
    expect(await fleet.stage.client.request('GET', '/v1/silences')).toMatchObject({ items: [] });
  });

  test.each(['light', 'dark'] as const)(
    'in %s every text can be read, and all that can be used has a name',
    async (theme) => {
      const context = await browser.newContext({ colorScheme: theme, viewport: { width: 1280, height: 900 } });
      const other = await context.newPage();
      await other.goto(await fleet.stage.client.consoleLink());
      for (const path of await screens()) {
        await open(path, other);
        expect(await contrastsOf(other), `${theme} ${path}`).toEqual([]);
        expect(await labelsOf(other), `${theme} ${path}`).toEqual([]);
      }
      await context.close();
    },
  );

  test('at 390 px nothing has to be scrolled sideways', async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const phone = await context.newPage();
    await phone.goto(await fleet.stage.client.consoleLink());
    for (const path of await screens()) {
      await open(path, phone);
      const widths = await phone.evaluate('[document.documentElement.scrollWidth, window.innerWidth]');
      expect(widths, path).toEqual([390, 390]);
    }
    await context.close();
  });

  test('who has no session is told how to get one, and gets in with the token', async () => {
    const context = await browser.newContext();
    const stranger = await context.newPage();
    await stranger.goto(`${origin()}/?t=made-up`);
    await stranger.getByText('This link was used already').waitFor();
    expect(await stranger.locator('main').innerText()).toContain('flyball console');
    await stranger.fill('input[type=password]', fleet.stage.token);
    await stranger.getByRole('button', { name: 'Sign in' }).click();
    await stranger.locator('.fleet-rows').waitFor();
    await context.close();
  });

  test('Flyball dies and comes back: the page says so, and goes on by itself', async () => {
    await open('/');
    await fleet.stage.kill();
    await page.locator('.live-lost').waitFor({ timeout: 5_000 });
    await fleet.stage.restart();
    await page.locator('.live-live').waitFor({ timeout: 20_000 });
    await page.locator('.fleet-rows .state-ok').first().waitFor({ timeout: 30_000 });
  });

  test('nothing of all this was an error of the page', () => {
    // What a killed Flyball and a refused answer leave in the browser's own log.
    const own = troubles.filter((text) => !/Failed to load resource|net::ERR/.test(text));
    expect(own).toEqual([]);
  });
});
