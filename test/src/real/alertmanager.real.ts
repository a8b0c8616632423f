import { type Cause, signalsCodec } from '@flyball/contracts';
import { createLogger } from '@flyball/host';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { Notifier, NotifierConfig } from '@flyball/notifier';
import { alertmanagerWays, partForTest } from '@flyball/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { closed, connection, record, revision } from '../notifier/news.ts';

// Goal: who routes alerts by an Alertmanager is told by a stock one exactly what stands: one alert per incident, with what changes,
// gone when it is over; and the watchdog while all is well. Method: a real Alertmanager, a notifier over a log in memory.

const LINK = 'https://flyball.example.com/incidents/{id}';
/** An alert stands for five repeats: none may be gone by itself before a test is over. */
const QUICK = { backoffMinMs: 10, backoffMaxMs: 50, repeatMs: 20_000, blindAfterMs: 1_000, linkUrl: LINK };
/** The service that is blamed later. */
const CART: Cause = {
  ...{ rank: 1, subject: { tenant: 'default', environment: 'prod', service: 'cart' }, kind: 'errors', score: 5 },
  ...{ version: '', stableVersion: '', instance: '', reasons: [] },
};
const INCIDENT = `inc-${Date.now()}`;
const dir = mkdtempSync(join(tmpdir(), 'flyball-alertmanager-'));
const part = await partForTest(alertmanagerWays(dir));
if ('missing' in part) test.skip(`needs ${part.missing}`);
const withReal = test.skipIf('missing' in part);
const url = 'missing' in part ? '' : part.url;

/** An alert as `GET /api/v2/alerts` tells it. */
interface Standing {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generatorURL: string;
  readonly startsAt: string;
  readonly status: { readonly state: string };
}

let log: MemoryLog;
let notifier: Notifier | undefined;
let closing: NodeJS.Timeout | undefined;
beforeEach(async () => {
  log = new MemoryLog(Date.now);
  for (const topic of ['flyball.incidents', 'flyball.windows', 'flyball.signals']) await log.create(topic, 1);
});
afterEach(async () => {
  clearInterval(closing);
  await notifier?.stop();
  notifier = undefined;
});
afterAll(async () => {
  if (!('missing' in part)) await part.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(deadman?: { everyMs: number }): Promise<void> {
  const to = connection('alertmanager', url);
  notifier = new Notifier(NotifierConfig.parse(QUICK), {
    ...{ log, objects: new MemoryObjects(), registry: new Registry(), logger: createLogger('silent') },
    connections: { connections: [to], deadman: deadman && { ...deadman, connections: [to.name] } },
    lanes: async () => [],
  });
  await notifier.start();
}

/** What stands now and is told, by one label. */
async function standing(label: string, value: string): Promise<readonly Standing[]> {
  const filter = encodeURIComponent(`${label}="${value}"`);
  const response = await fetch(`${url}/api/v2/alerts?active=true&filter=${filter}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Standing[];
}
const ofIncident = () => standing('incident_id', INCIDENT);
const soon = { timeout: 10_000, interval: 100 };

withReal('an incident is one alert that is changed, goes to another service, and is resolved', async () => {
  const nowMs = Date.now();
  const about = { incidentId: INCIDENT, startedAtMs: nowMs - 4_000, openedAtMs: nowMs };
  await start();
  await record(log, revision(about));
  await expect.poll(async () => (await ofIncident()).length, soon).toBe(1);
  expect((await ofIncident())[0]).toMatchObject({
    labels: {
      ...{ alertname: 'FlyballIncident', incident_id: INCIDENT, severity: 'critical', tenant: 'default' },
      ...{ environment: 'prod', service: 'checkout' },
    },
    annotations: { summary: 'checkout v2: errors 19 % against 0.8 %', dedupe_key: `${INCIDENT}/1` },
    generatorURL: LINK.replace('{id}', INCIDENT),
    startsAt: new Date(about.startedAtMs).toISOString(),
    status: { state: 'active' },
  });

  const story = [{ atMs: nowMs, kind: 'command' as const, text: 'rollback checkout v2 -> v1' }];
  await record(log, revision({ ...about, revision: 2, status: 'mitigating', commandIds: ['c-1'], timeline: story }));
  await expect.poll(async () => (await ofIncident())[0]?.annotations['dedupe_key'], soon).toBe(`${INCIDENT}/2`);
  const changed = await ofIncident();
  expect(changed).toHaveLength(1);
  expect(changed[0]!.annotations['description']).toContain('rollback checkout v2 -> v1');

  // Labels are what an alert is known by: with another service blamed there is a new one, and the old one must not stand on.
  await record(log, revision({ ...about, revision: 3, status: 'mitigating', causes: [CART] }));
  await expect.poll(async () => (await ofIncident()).map(({ labels }) => labels['service']), soon).toEqual(['cart']);

  await record(log, closed({ ...about, revision: 4, closedAtMs: Date.now(), causes: [CART] }));
  await expect.poll(async () => (await ofIncident()).length, soon).toBe(0);
});

withReal('the watchdog stands while windows are closed; then it ends, and that we are blind stands', async () => {
  const well = async () => {
    const value = signalsCodec.encode({
      ...{ type: 'closed', from: 'detector:flyball.windows/0', endMs: Date.now(), coverage: 1 },
    });
    await log.append({ topic: 'flyball.signals', partition: 0 }, [{ key: '', headers: {}, value }]);
  };
  closing = setInterval(() => void well(), 50);
  await start({ everyMs: 300 });
  const stands = async () => [
    ...(await standing('alertname', 'FlyballWatchdog')),
    ...(await standing('alertname', 'FlyballBlind')),
  ];
  const names = async () => (await stands()).map(({ labels }) => labels['alertname']);
  await expect.poll(names, soon).toEqual(['FlyballWatchdog']);
  clearInterval(closing);
  await expect.poll(names, soon).toEqual(['FlyballBlind']);
  const [blind] = await stands();
  expect(blind).toMatchObject({
    labels: { severity: 'critical' },
    annotations: { summary: expect.stringContaining('no window was closed since') },
  });
});
