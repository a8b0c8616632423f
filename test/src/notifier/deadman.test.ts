import { signalsCodec } from '@flyball/contracts';
import { createLogger, type LaneHealth, partHealth } from '@flyball/host';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { Notifier, NotifierConfig } from '@flyball/notifier';
import type { HeartbeatConnection } from '@flyball/outbound';
import { EMPTY_BYTES, UnavailableError } from '@flyball/core';
import { PROVENANCE_HEADER } from '@flyball/runtime';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { closed, connection, record, revision } from './news.ts';
import { Receiver } from './receiver.ts';

// Goal: when Flyball cannot see, or is gone, somebody is called who would else take its silence for health. Method: detector lanes,
// incidents and lanes of the process as a test makes them; a receiver that is pinged.

const EVERY_MS = 50;
const LANES = 2;
let log: MemoryLog;
let receiver: Receiver;
let notifier: Notifier | undefined;
let objects: MemoryObjects;
let lanes: () => readonly LaneHealth[];
let closing: NodeJS.Timeout | undefined;

beforeEach(async () => {
  log = new MemoryLog(Date.now);
  for (const topic of ['flyball.incidents', 'flyball.windows', 'flyball.signals']) await log.create(topic, LANES);
  receiver = await Receiver.open();
  objects = new MemoryObjects();
  lanes = () => [partHealth('planner:flyball.signals/0', undefined)];
});
afterEach(async () => {
  clearInterval(closing);
  await notifier?.stop();
  notifier = undefined;
  await receiver.close();
});

/** Detector lanes that close windows from now on: all of them, or the first alone. */
function close({ coverage = 1, only = LANES } = {}): void {
  clearInterval(closing);
  const say = async () => {
    for (let lane = 0; lane < only; lane += 1) {
      const value = signalsCodec.encode({
        ...{ type: 'closed', from: `detector:flyball.windows/${lane}`, endMs: Date.now(), coverage },
      });
      await log.append({ topic: 'flyball.signals', partition: 0 }, [{ key: '', headers: {}, value }]);
    }
  };
  closing = setInterval(() => void say(), 20);
}
async function start(kind: 'heartbeat' | 'slack' | 'alertmanager' | 'webhook' = 'heartbeat'): Promise<void> {
  const url = `${receiver.url}/ping`;
  const heartbeat: HeartbeatConnection = {
    name: 'hc',
    kind: 'heartbeat',
    url: new URL(url),
    secret: '',
    allowPrivate: true,
  };
  const to = kind === 'heartbeat' ? heartbeat : connection(kind, url, { name: 'hc' });
  notifier = new Notifier(NotifierConfig.parse({ blindAfterMs: 1_000 }), {
    ...{ log, objects, registry: new Registry(), logger: createLogger('silent') },
    connections: { connections: [to], deadman: { everyMs: EVERY_MS, connections: ['hc'] } },
    lanes: async () => lanes(),
  });
  await notifier.start();
}
const until = (check: () => unknown) => vi.waitFor(check, { timeout: 5_000, interval: 10 });
const pings = () => receiver.received.filter(({ path }) => path === '/ping').length;
const fails = () => receiver.received.filter(({ path }) => path === '/ping/fail');
/** Waits until the signal fails, and looks whether it is silent otherwise. */
async function expectFailing(reason: RegExp): Promise<void> {
  await until(() => expect(fails().at(-1)?.body).toMatch(reason));
  const before = pings();
  await new Promise((resolve) => setTimeout(resolve, 4 * EVERY_MS));
  expect(pings()).toBe(before);
  expect(notifier!.reasons.join()).toMatch(reason);
}

test('it pings while every detector lane closes windows that were seen whole, and begins with nothing', async () => {
  await start();
  await new Promise((resolve) => setTimeout(resolve, 4 * EVERY_MS));
  expect(receiver.received).toEqual([]);
  close();
  await until(() => expect(pings()).toBeGreaterThan(3));
  expect(fails()).toEqual([]);
});

test.each<[string, () => unknown, RegExp]>([
  ['windows are not closed any more', () => clearInterval(closing), /no window was closed since/],
  ['windows are not seen whole any more', () => close({ coverage: 0.75 }), /seen whole since/],
  ['one detector lane says nothing more', () => close({ only: 1 }), /no window was closed since/],
  [
    'most services fell silent together',
    () => record(log, revision({ blindSinceMs: Date.now() })),
    /most services of prod fell silent together/,
  ],
  [
    'a lane of this process fails',
    () => (lanes = () => [partHealth('global:flyball.partials/0', new UnavailableError('LANE_STATE_LOST', 'gone'))]),
    /global:flyball.partials\/0 is failing: LANE_STATE_LOST/,
  ],
])('it stops and says so when %s', async (_what, hurt, reason) => {
  close();
  await start();
  await until(() => expect(pings()).toBeGreaterThan(1));
  await hurt();
  await expectFailing(reason);
});

test('it says so when no detector lane was ever heard', async () => {
  await start();
  await expectFailing(/2 of 2 detector lanes have said nothing/);
});

test.each<[string, ReturnType<typeof revision>]>([
  ['telemetry is back', revision({ revision: 2 })],
  ['the incident has ended', closed({ revision: 2 })],
])('it pings again when %s', async (_what, back) => {
  close();
  await record(log, revision({ blindSinceMs: Date.now() }));
  await start();
  await until(() => expect(fails().length).toBeGreaterThan(0));
  expect(pings()).toBe(0);
  await record(log, back);
  await until(() => expect(pings()).toBeGreaterThan(1));
});

test('a planner that was thought dead, and says once more that we are blind, is not believed', async () => {
  close();
  const blind = revision({ blindSinceMs: Date.now() });
  await record(log, blind, revision({ revision: 2 }), blind);
  await start();
  await until(() => expect(pings()).toBeGreaterThan(3));
  expect(fails()).toEqual([]);
});

test('what nobody can read on the way does not keep it from hearing what comes after', async () => {
  close();
  await start();
  await until(() => expect(pings()).toBeGreaterThan(1));
  const headers = { [PROVENANCE_HEADER]: 'none' };
  await log.append({ topic: 'flyball.incidents', partition: 0 }, [{ key: '', headers, value: EMPTY_BYTES }]);
  await record(log, revision({ blindSinceMs: Date.now() }));
  await expectFailing(/most services of prod fell silent together/);
});

test('one bad look stops the ping and calls nobody', async () => {
  close();
  await start();
  await until(() => expect(pings()).toBeGreaterThan(1));
  let looks = 0;
  const ill = [partHealth('audit files', new UnavailableError('AUDIT_UNWRITABLE', 'full'))];
  lanes = () => ((looks += 1) === 1 ? ill : []);
  await until(() => expect(looks).toBeGreaterThan(3));
  expect(fails()).toEqual([]);
});

test('a chat is told once that we are blind, and once that we see again', async () => {
  close();
  await start('slack');
  await new Promise((resolve) => setTimeout(resolve, 4 * EVERY_MS));
  lanes = () => [partHealth('audit files', new UnavailableError('AUDIT_UNWRITABLE', 'full'))];
  const texts = () => receiver.bodies<{ text: string }>().map(({ text }) => text);
  await until(() => expect(texts()).toHaveLength(1));
  await new Promise((resolve) => setTimeout(resolve, 4 * EVERY_MS));
  lanes = () => [];
  await until(() =>
    expect(texts()).toEqual([expect.stringMatching(/BLIND.*audit files/), expect.stringMatching(/SEES AGAIN/)]),
  );
});

test('a chat that was told that we are blind is told that we see again by whoever comes next', async () => {
  close();
  lanes = () => [partHealth('audit files', new UnavailableError('AUDIT_UNWRITABLE', 'full'))];
  await start('slack');
  const texts = () => receiver.bodies<{ text: string }>().map(({ text }) => text);
  await until(() => expect(texts()).toHaveLength(1));
  await notifier!.stop();
  lanes = () => [];
  await start('slack');
  await until(() => expect(texts().slice(1)).toEqual([expect.stringMatching(/SEES AGAIN/)]));
});

test.each([
  ['away', 0],
  ['slow', 3_000],
])('a chat is told that we are blind though the store that knows what it was told is %s', async (_how, afterMs) => {
  close();
  let isAnswered = false;
  objects.get = async () => {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    isAnswered = true;
    throw new UnavailableError('OBJECTS_UNAVAILABLE', 'away');
  };
  lanes = () => [partHealth('audit files', new UnavailableError('AUDIT_UNWRITABLE', 'full'))];
  await start('slack');
  await until(() => expect(receiver.bodies()).toMatchObject([{ text: expect.stringMatching(/BLIND/) }]));
  expect(isAnswered).toBe(afterMs === 0);
});

test('a webhook is told how we are each time, signed', async () => {
  close();
  await start('webhook');
  await until(() => expect(receiver.bodies()).toContainEqual(expect.objectContaining({ type: 'heartbeat', ok: true })));
  expect(receiver.received[0]!.headers['flyball-signature']).toMatch(/^v1=[0-9a-f]{64}$/);
  clearInterval(closing);
  await until(() =>
    expect(receiver.bodies()).toContainEqual(expect.objectContaining({ ok: false, reasons: [expect.any(String)] })),
  );
});
