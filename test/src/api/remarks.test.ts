import { buildApi, ControlWriter, ReadModel } from '@flyball/api';
import { controlCodec, type Incident, incidentsCodec, TOPICS } from '@flyball/contracts';
import { MemoryHotStore, MemoryLog } from '@flyball/memory';
import { ControlRelay } from '@flyball/planner';
import { recordsOf } from '@flyball/testing';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';

// Goal: what people know of an incident stays with it, once, by whom and when; and nothing is decided by it.
// Method: the real API over a log in memory, asked by `inject`; what was said is read from the log and given to the relay.

const EVENTUALLY = { timeout: 10_000, interval: 20 };
const headers = { authorization: 'Bearer secret' };

let log: MemoryLog;
let model: ReadModel;
let app: Awaited<ReturnType<typeof buildApi>>;
beforeEach(async () => {
  log = new MemoryLog(() => Date.now());
  for (const topic of TOPICS) await log.create(topic, 1);
  await append(1);
  [model, app] = await open();
  await expect.poll(() => model.incidents.has('inc-1'), EVENTUALLY).toBe(true);
});
const stopping: Promise<void>[] = [];
afterEach(async () => {
  stopping.push(model.stop());
  await app.close();
});
afterAll(() => Promise.all(stopping));

async function open(): Promise<[ReadModel, typeof app]> {
  const read = new ReadModel(log, new MemoryHotStore());
  await read.start();
  const rest = { registry: new Registry(), token: 'secret', lanes: async () => [], isStopping: () => false };
  return [read, await buildApi({ model: read, words: new ControlWriter(log), ...rest })];
}

async function append(revision: number): Promise<void> {
  const incident: Incident = {
    ...{ type: 'incident', incidentId: 'inc-1', revision, tenant: 'default', environment: 'prod' },
    ...{ status: 'open', resolution: null, startedAtMs: 0, openedAtMs: 0, closedAtMs: null, silencedUntilMs: null },
    ...{ blindSinceMs: null, title: '', causes: [], signals: [], decisions: [], commandIds: [], timeline: [] },
  };
  await log.append({ topic: 'flyball.incidents', partition: 0 }, [
    { key: '', headers: {}, value: incidentsCodec.encode(incident) },
  ]);
}

const post = async (what: 'notes' | 'feedback', payload: object, id = 'inc-1') => {
  const response = await app.inject({ method: 'POST', url: `/v1/incidents/${id}/${what}`, headers, payload });
  return { status: response.statusCode, body: response.json() as { remarkId?: string; code?: string } };
};
const remarks = async (of = app) => {
  const one = (await of.inject({ url: '/v1/incidents/inc-1', headers })).json() as { remarks: object[] };
  const { items } = (await of.inject({ url: '/v1/incidents', headers })).json() as { items: { remarks: object[] }[] };
  expect(items[0]!.remarks).toEqual(one.remarks);
  return one.remarks;
};
const said = async () =>
  (await recordsOf(log, { topic: 'flyball.control', partition: 0 })).map((record) => controlCodec.decode(record));
const judged = async () => (await app.inject({ url: '/metrics' })).body.match(/^flyball_incident_feedback\{.*$/gm);

test('notes and feedback are on record, with who and when, and shown with their incident, also after a start', async () => {
  const text = 'the <b>cache</b> was cold \u202e[31m';
  expect(await post('notes', { text })).toMatchObject({ status: 201 });
  const wrong = { verdict: 'wrong', cause: 'payment', reason: 'its pool was full' };
  expect(await post('feedback', wrong)).toMatchObject({ status: 201 });
  await expect.poll(() => remarks(), EVENTUALLY).toHaveLength(2);
  const expected = [
    { type: 'note', actor: 'token', text, atMs: expect.closeTo(Date.now(), -4) },
    { type: 'feedback', actor: 'token', ...wrong, atMs: expect.any(Number) },
  ];
  expect(await remarks()).toMatchObject(expected);
  expect(await said()).toMatchObject([
    { type: 'note', incidentId: 'inc-1', environment: 'prod', actor: 'token', text },
    { type: 'feedback', incidentId: 'inc-1', ...wrong },
  ]);
  // Another revision of the incident loses nothing of it, nor does another process.
  await append(2);
  await expect.poll(() => model.incidents.get('inc-1')?.revision, EVENTUALLY).toBe(2);
  expect(await remarks()).toMatchObject(expected);
  const [again, other] = await open();
  await expect.poll(() => again.isBehind, EVENTUALLY).toBe(false);
  expect(await remarks(other)).toEqual(await remarks());
  stopping.push(again.stop());
  await other.close();
});

test('under a key it counts once, and says nothing else', async () => {
  const first = await post('notes', { text: 'once', key: 'k' });
  await expect.poll(() => remarks(), EVENTUALLY).toHaveLength(1);
  expect(await post('notes', { text: 'once', key: 'k' })).toEqual({ status: 200, body: first.body });
  expect(await post('notes', { text: 'twice', key: 'k' })).toMatchObject({
    ...{ status: 409, body: { code: 'REMARK_KEY_REUSED' } },
  });
  expect(await post('feedback', { verdict: 'right', key: 'k' })).toMatchObject({ status: 409 });
  expect(await said()).toHaveLength(1);
  // Two that come before either was read: both are on record, and one is shown.
  const both = await Promise.all([1, 2].map(() => post('notes', { text: 'at once', key: 'j' })));
  expect(new Set(both.map(({ body }) => body.remarkId)).size).toBe(1);
  await post('notes', { text: 'last' });
  await expect.poll(async () => (await remarks()).at(-1), EVENTUALLY).toMatchObject({ text: 'last' });
  expect(await remarks()).toHaveLength(3);
});

test('what was last said of each incident is counted', async () => {
  expect(await judged()).toEqual([
    'flyball_incident_feedback{verdict="right"} 0',
    'flyball_incident_feedback{verdict="wrong"} 0',
  ]);
  await post('feedback', { verdict: 'right' });
  await post('feedback', { verdict: 'wrong' });
  await post('notes', { text: 'never mind' });
  await expect
    .poll(judged, EVENTUALLY)
    .toEqual(['flyball_incident_feedback{verdict="right"} 0', 'flyball_incident_feedback{verdict="wrong"} 1']);
});

test.each<[string, 'notes' | 'feedback', object, string, number, string]>([
  ['of no incident', 'notes', { text: 'x' }, 'inc-9', 404, 'NOT_FOUND'],
  ['that says nothing', 'notes', { text: ' \n' }, 'inc-1', 400, 'REQUEST_INVALID'],
  ['that is a book', 'notes', { text: 'x'.repeat(2_001) }, 'inc-1', 400, 'REQUEST_INVALID'],
  ['by somebody else', 'notes', { text: 'x', actor: 'ann' }, 'inc-1', 400, 'REQUEST_INVALID'],
  ['that is neither', 'feedback', { verdict: 'maybe' }, 'inc-1', 400, 'REQUEST_INVALID'],
  ['that is right about another cause', 'feedback', { verdict: 'right', cause: 'x' }, 'inc-1', 400, 'REQUEST_INVALID'],
])('a remark %s is refused', async (_how, what, payload, id, status, code) => {
  expect(await post(what, payload, id)).toMatchObject({ status, body: { code } });
  expect(await said()).toEqual([]);
});

test('an incident takes so many remarks, and no more', async () => {
  for (let index = 0; index < 200; index += 1) await post('notes', { text: `${index}` });
  await expect.poll(() => remarks(), EVENTUALLY).toHaveLength(200);
  expect(await post('notes', { text: 'more' })).toMatchObject({ status: 409, body: { code: 'REMARKS_FULL' } });
});

test('who decides is not told, and the audit is', async () => {
  await post('notes', { text: 'x' });
  await post('feedback', { verdict: 'wrong', cause: 'payment' });
  const told: string[] = [];
  const outbox = {
    emit: (topic: string) => void told.push(topic),
    broadcast: (topic: string) => void told.push(topic),
    reject: (error: Error) => {
      throw error;
    },
  };
  const relay = new ControlRelay('flyball.control/0');
  for (const body of await said()) {
    relay.process({ offset: 0, epoch: 0, atMs: 1, key: '', provenance: undefined, body }, outbox);
  }
  expect(told).toEqual(['flyball.trail', 'flyball.trail']);
});
