import type { Incident } from '@flyball/contracts';
import { Prng } from '@flyball/core';
import { createLogger } from '@flyball/host';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { Notifier, NotifierConfig } from '@flyball/notifier';
import { type Connection, signatureOf } from '@flyball/outbound';
import type { Objects } from '@flyball/runtime';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { closed, connection, record, revision } from './news.ts';
import { Receiver } from './receiver.ts';

// Goal: whoever is on call is told of every incident and of its end, whatever dies or does not answer, and hardly ever twice.
// Method: incidents on a log in memory, receivers on this machine that fail as a test wants, notifiers that are thrown away.

interface News {
  readonly event: string;
  readonly dedupeKey: string;
}
const QUICK = { backoffMinMs: 10, backoffMaxMs: 50, repeatMs: 300, attemptDeadlineMs: 300 };
let log: MemoryLog;
let objects: MemoryObjects;
let receiver: Receiver;
let running: Notifier[] = [];
let registry: Registry;

beforeEach(async () => {
  log = new MemoryLog(Date.now);
  objects = new MemoryObjects();
  for (const topic of ['flyball.incidents', 'flyball.windows', 'flyball.signals']) await log.create(topic, 1);
  receiver = await Receiver.open();
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.stop()));
  running = [];
  await receiver.close();
});

async function start(connections: readonly Connection[], store: Objects = objects): Promise<Notifier> {
  registry = new Registry();
  const notifier = new Notifier(NotifierConfig.parse(QUICK), {
    ...{ log, objects: store, registry, logger: createLogger('silent') },
    connections: { connections: connections as never, deadman: undefined },
  });
  running.push(notifier);
  await notifier.start();
  return notifier;
}
const kill = async (notifier: Notifier) => {
  running = running.filter((each) => each !== notifier);
  await notifier.stop();
};
const webhook = () => connection('webhook', receiver.url);
const keys = () => receiver.bodies<News>().map(({ event, dedupeKey }) => `${event} ${dedupeKey}`);
const until = (check: () => unknown) => vi.waitFor(check, { timeout: 5_000, interval: 10 });
const acted = (more: Partial<Incident>) => revision({ status: 'mitigating', commandIds: ['c-1'], ...more });

test('a signed webhook is told that an incident opened, changed and closed, once each', async () => {
  await start([webhook()]);
  await record(log, revision());
  await until(() => expect(keys()).toEqual(['opened inc-1/1']));
  await record(log, revision({ revision: 2 }), acted({ revision: 3 }));
  await until(() => expect(keys()).toEqual(['opened inc-1/1', 'changed inc-1/3']));
  await record(log, closed({ revision: 4, commandIds: ['c-1'] }), closed({ revision: 4, commandIds: ['c-1'] }));
  await until(() => expect(keys()).toEqual(['opened inc-1/1', 'changed inc-1/3', 'closed inc-1/4']));
  for (const { headers, body } of receiver.received) {
    const [id, timestamp] = [String(headers['flyball-id']), String(headers['flyball-timestamp'])];
    expect(id).toBe((JSON.parse(body) as News).dedupeKey);
    expect(headers['flyball-signature']).toBe(signatureOf('a-secret-of-the-test', { id, timestamp, body }));
  }
  expect(await registry.getSingleMetricAsString('flyball_notifier_sent_total')).toContain(
    'flyball_notifier_sent_total{connection="to-webhook",event="closed"} 1',
  );
});

test('one that was started again goes on where it was: nothing is lost, nothing is told twice', async () => {
  const first = await start([webhook()]);
  await record(log, revision(), revision({ incidentId: 'inc-2' }));
  await until(() => expect(keys()).toHaveLength(2));
  await kill(first);
  await record(log, acted({ revision: 2 }), closed({ incidentId: 'inc-2', revision: 2 }));
  await start([webhook()]);
  await until(() => expect(keys()).toHaveLength(4));
  expect(keys()).toEqual(['opened inc-1/1', 'opened inc-2/1', 'changed inc-1/2', 'closed inc-2/2']);
});

test('one that dies in the middle of what it has read repeats nothing that was taken', async () => {
  receiver.answer = { status: 503 };
  receiver.next.push(200);
  await record(log, revision(), revision({ incidentId: 'inc-2' }));
  const first = await start([webhook()]);
  await until(() => expect(receiver.received.length).toBeGreaterThan(2));
  await kill(first);
  receiver.answer = { status: 200 };
  await start([webhook()]);
  await until(() => expect(receiver.taken).toHaveLength(2));
  await record(log, closed({ revision: 2 }));
  await until(() => expect(receiver.taken).toHaveLength(3));
  const taken = receiver.taken.map(({ body }) => (JSON.parse(body) as News).dedupeKey);
  expect(taken).toEqual(['inc-1/1', 'inc-2/1', 'inc-1/2']);
});

test('one that dies after it was heard and before it has stored that tells again, under the same key', async () => {
  const broken = await start([webhook()], dyingAfter(1));
  await record(log, revision());
  await until(() => expect(keys()).toHaveLength(1));
  await kill(broken);
  await start([webhook()]);
  await until(() => expect(keys()).toEqual(['opened inc-1/1', 'opened inc-1/1']));
});

test('whatever dies and fails, each end is told, nothing is told out of order, and only a death repeats anything', async () => {
  const seeds = fc.integer({ min: 0, max: 2 ** 31 });
  const total = { deaths: 0, refusals: 0 };
  const property = fc.asyncProperty(seeds, async (seed) => {
    const dice = new Prng(seed);
    [log, objects] = [new MemoryLog(Date.now), new MemoryObjects()];
    await log.create('flyball.incidents', 1);
    receiver.taken.length = 0;
    const revisions = new Map<string, number>();
    let deaths = 0;
    let notifier = await start([webhook()]);
    for (let step = 0; step < 40; step += 1) {
      const incidentId = `inc-${dice.below(6)}`;
      const next = (revisions.get(incidentId) ?? 0) + 1;
      if (next <= 4) {
        revisions.set(incidentId, next);
        const changed = { incidentId, revision: next, commandIds: [`c-${next}`] };
        await record(log, next === 4 ? closed(changed) : revision(changed));
      }
      receiver.answer = dice.chance(0.3) ? { status: 503 } : { status: 200 };
      await new Promise((resolve) => setTimeout(resolve, dice.below(8)));
      if (!dice.chance(0.2)) continue;
      await kill(notifier);
      deaths += 1;
      notifier = await start([webhook()], dice.chance(0.5) ? dyingAfter(1 + dice.below(3)) : objects);
    }
    for (const [incidentId, last] of revisions)
      if (last < 4) await record(log, closed({ incidentId, revision: 4, commandIds: ['c-4'] }));
    await kill(notifier);
    total.refusals += receiver.received.length - receiver.taken.length;
    receiver.answer = { status: 200 };
    notifier = await start([webhook()]);
    const told = () => receiver.taken.map(({ body }) => (JSON.parse(body) as News).dedupeKey);
    await until(() => expect([...revisions.keys()].filter((id) => !told().includes(`${id}/4`))).toEqual([]));
    await kill(notifier);
    for (const id of revisions.keys()) {
      const order = told().filter((key) => key.startsWith(`${id}/`));
      // A start goes on from what is stored: it may go back by what was under way, and then comes forward again.
      const steps = order.filter((key, index) => index > 0 && key <= order[index - 1]!).length;
      expect(steps).toBeLessThanOrEqual(deaths);
    }
    expect(told().length - new Set(told()).size).toBeLessThanOrEqual(deaths);
    total.deaths += deaths;
  });
  await fc.assert(property, { numRuns: 6, endOnFailure: true });
  expect(total.deaths).toBeGreaterThan(6);
  expect(total.refusals).toBeGreaterThan(6);
});

test('a new connection is told of what is open, not of history; its end is told also after a death in the middle', async () => {
  await record(log, revision({ incidentId: 'old' }), closed({ incidentId: 'old', revision: 2 }), revision());
  receiver.answer = { status: 503 };
  const first = await start([webhook()]);
  await until(() => expect(receiver.received.length).toBeGreaterThan(0));
  await kill(first);
  await record(log, closed({ revision: 2 }));
  receiver.received.length = 0;
  receiver.answer = { status: 200 };
  await start([webhook()]);
  await until(() => expect(keys()).toEqual(['opened inc-1/1', 'closed inc-1/2']));
});

test.each([
  ['answers 503', { status: 503 }],
  ['answers 404, as its address is wrong', { status: 404 }],
  ['asks to come later', { status: 429, headers: { 'retry-after': '1' } }],
  ['does not answer', 'hang' as const],
])(
  'what a receiver misses that %s is told when it is back, as it is by then; others do not wait',
  async (_what, answer) => {
    const other = await Receiver.open();
    receiver.answer = answer;
    const notifier = await start([webhook(), { ...webhook(), name: 'other', url: new URL(other.url) }]);
    await record(log, revision(), acted({ revision: 2 }));
    await until(() => expect(other.received.length).toBeGreaterThan(0));
    await until(async () =>
      expect(await notifier.states()).toMatchObject([
        { state: 'failing', code: 'NOTIFY_UNAVAILABLE' },
        { state: 'ok' },
      ]),
    );
    await record(log, closed({ revision: 3, commandIds: ['c-1'] }));
    await until(() => expect(other.bodies<News>().at(-1)).toMatchObject({ event: 'closed' }));
    receiver.received.length = 0;
    receiver.answer = { status: 200 };
    await until(() => expect(keys().at(-1)).toBe('closed inc-1/3'));
    await until(async () => expect(await notifier.states()).toMatchObject([{ state: 'ok', lag: 0 }, { state: 'ok' }]));
    await other.close();
  },
);

test('what a receiver refuses for good does not keep it from the rest', async () => {
  receiver.answer = { status: 400 };
  await start([webhook()]);
  await record(log, revision());
  await until(async () =>
    expect(await registry.getSingleMetricAsString('flyball_notifier_dropped_total')).toContain('"to-webhook"} 1'),
  );
  receiver.answer = { status: 200 };
  await record(log, revision({ incidentId: 'inc-2' }));
  await until(() => expect(keys().at(-1)).toBe('opened inc-2/1'));
});

test('an Alertmanager is told again and again, also after a start, until an incident ends or is silenced', async () => {
  const alerts = () => receiver.bodies<{ labels: Record<string, string>; endsAt: string }[]>().flat();
  const first = await start([connection('alertmanager', receiver.url)]);
  await record(log, revision());
  await until(() => expect(alerts().length).toBeGreaterThan(2));
  await kill(first);
  receiver.received.length = 0;
  await start([connection('alertmanager', receiver.url)]);
  await until(() => expect(alerts().length).toBeGreaterThan(1));
  expect(receiver.received[0]!.path).toBe('/api/v2/alerts');
  expect(new Date(alerts()[0]!.endsAt).getTime()).toBeGreaterThan(Date.now());
  await record(log, revision({ revision: 2, silencedUntilMs: Date.now() + 60_000 }));
  await vi.waitFor(async () => {
    const before = receiver.received.length;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(receiver.received.length).toBe(before);
  });
  await record(log, closed({ revision: 3 }));
  await until(() => expect(new Date(alerts().at(-1)!.endsAt).getTime()).toBeLessThan(Date.now()));
});

test('a silenced incident is not told; when the silence ends it is', async () => {
  await start([webhook()]);
  await record(log, revision({ silencedUntilMs: Date.now() + 60_000 }), revision({ incidentId: 'inc-2' }));
  await until(() => expect(keys()).toEqual(['opened inc-2/1']));
  expect(await registry.getSingleMetricAsString('flyball_notifier_withheld_total')).toContain('reason="silenced"} 1');
  await record(log, revision({ revision: 2 }));
  await until(() => expect(keys()).toEqual(['opened inc-2/1', 'opened inc-1/2']));
});

test('nothing goes to an address of a private network, unless that is meant', async () => {
  const url = new URL(receiver.url.replace('127.0.0.1', 'localhost'));
  const notifier = await start([{ ...webhook(), url, allowPrivate: false }]);
  await record(log, revision());
  await until(async () => expect(await notifier.states()).toMatchObject([{ code: 'NOTIFY_UNAVAILABLE' }]));
  expect(await notifier.test('to-webhook')).toMatchObject({ ok: false, answer: expect.stringContaining('not public') });
  expect(receiver.received).toEqual([]);
});

test('a test says what was answered, and touches no incident', async () => {
  const notifier = await start([webhook()]);
  expect(await notifier.test('to-webhook')).toEqual({ ok: true, status: 200, answer: 'ok', code: '' });
  receiver.answer = { status: 401 };
  expect(await notifier.test('to-webhook')).toMatchObject({ ok: false, status: 401, code: 'NOTIFY_UNAVAILABLE' });
  expect(await notifier.test('nobody')).toBeUndefined();
  expect(await notifier.states()).toMatchObject([{ openIncidents: 0, state: 'ok' }]);
});

/** A store that fails for good after so many writes, as for somebody who dies there. */
function dyingAfter(writes: number): Objects {
  let left = writes;
  return new Proxy(objects, {
    get(target, name: keyof Objects) {
      if (name === 'put' && left-- <= 0) return () => Promise.reject(new Error('dead'));
      return (target[name] as (...args: never[]) => unknown).bind(target);
    },
  });
}

test('a connection that is new is not told of what a planner that was thought dead said once more of what had ended', async () => {
  await record(log, revision(), closed({ revision: 2 }));
  // More than is read at once lies between.
  const long = 'x'.repeat(200_000);
  for (let nth = 0; nth < 6; nth += 1) await record(log, closed({ incidentId: `other-${nth}`, title: long }));
  await record(log, revision(), revision({ incidentId: 'inc-2' }));
  await start([webhook()]);
  await until(() => expect(keys()).toContain('opened inc-2/1'));
  expect(keys()).toEqual(['opened inc-2/1']);
});
