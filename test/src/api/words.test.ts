import { buildApi, ControlWriter, ReadModel, recordPolicies } from '@flyball/api';
import { type Approval, controlCodec, type Incident, incidentsCodec, TOPICS } from '@flyball/contracts';
import { HOUR_MS, RejectedError } from '@flyball/core';
import { MemoryHotStore, MemoryLog } from '@flyball/memory';
import { recordsOf } from '@flyball/testing';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';

// Goal: an answer is given only to what was shown, a silence has a reason and an end, and whatever is acknowledged is on
// record. Method: the real API over a log in memory, asked by `inject`; what was said is read from the log.

const EVENTUALLY = { timeout: 10_000, interval: 20 };
const headers = { authorization: 'Bearer secret' };
const CONTROL = { topic: 'flyball.control', partition: 0 };
const DIGEST = 'a'.repeat(64);

let log: MemoryLog;
let model: ReadModel;
let words: ControlWriter;
let app: Awaited<ReturnType<typeof buildApi>>;
beforeEach(async () => {
  log = new MemoryLog(() => Date.now());
  for (const topic of TOPICS) await log.create(topic, 1);
  model = new ReadModel(log, new MemoryHotStore());
  await model.start();
  words = new ControlWriter(log);
  const rest = { registry: new Registry(), token: 'secret', lanes: async () => [], isStopping: () => false };
  app = await buildApi({ model, words, ...rest });
});
const stopping: Promise<void>[] = [];
afterEach(async () => {
  stopping.push(model.stop()); // Takes a moment; nobody needs to wait for it here.
  await app.close();
});
afterAll(() => Promise.all(stopping));

const ask = async (method: 'GET' | 'POST' | 'DELETE' | 'PUT', url: string, payload?: object) => {
  const response = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) });
  return { status: response.statusCode, body: response.json() as Record<string, never> };
};
const said = async () => (await recordsOf(log, CONTROL)).map((record) => controlCodec.decode(record));

/** An incident in which a person is asked. */
async function asked(commandId: string, changes: Partial<Approval>): Promise<void> {
  const nowMs = Date.now();
  const approval: Approval = {
    ...{ commandId, digest: DIGEST, status: 'pending', service: 'checkout', requestedAtMs: nowMs },
    ...{ expiresAtMs: nowMs + HOUR_MS, evidence: ['errors 30 %'] },
    ...{ blast: { trafficRatio: 0.25, services: ['checkout'] }, actor: '', wordId: '', answeredAtMs: null },
    ...changes,
  };
  const decision = {
    ...{
      decisionId: 'd',
      atMs: nowMs,
      policy: { name: 'p', version: 3, digest: '' },
      action: 'rollback checkout v2 -> v1',
    },
    ...{ verdict: 'pending' as const, gates: [], sentence: '', counterfactual: '', commandId: '', approval },
  };
  const incident: Incident = {
    ...{ type: 'incident', incidentId: `inc-${commandId}`, revision: 1, tenant: 'default', environment: 'prod' },
    ...{ status: 'open', resolution: null, startedAtMs: 0, openedAtMs: 0, closedAtMs: null, silencedUntilMs: null },
    blindSinceMs: null,
    ...{ title: '', causes: [], signals: [], decisions: [decision], commandIds: [], timeline: [] },
  };
  await log.append({ topic: 'flyball.incidents', partition: 0 }, [
    { key: '', headers: {}, value: incidentsCodec.encode(incident) },
  ]);
  await expect.poll(() => model.incidents.has(incident.incidentId), EVENTUALLY).toBe(true);
}

describe('an approval', () => {
  test('is listed with all that an answer needs, and answered on record', async () => {
    await asked('c-1', {});
    const { items } = (await ask('GET', '/v1/approvals')).body;
    expect(items).toMatchObject([
      {
        ...{ commandId: 'c-1', digest: DIGEST, incidentId: 'inc-c-1', environment: 'prod', service: 'checkout' },
        ...{ action: 'rollback checkout v2 -> v1', policy: 'p@3', evidence: ['errors 30 %'], status: 'pending' },
        blast: { trafficRatio: 0.25, services: ['checkout'] },
      },
    ]);
    const answer = { verdict: 'deny', digest: DIGEST, reason: 'not now' };
    const { status, body } = await ask('POST', '/v1/approvals/c-1', answer);
    expect(status).toBe(202);
    expect(await said()).toMatchObject([
      { type: 'deny', wordId: body['wordId'], commandId: 'c-1', digest: DIGEST, reason: 'not now', actor: 'token' },
    ]);
  });

  test.each<[string, Partial<Approval>, object, number, string]>([
    ['to another order', {}, { digest: 'b'.repeat(64) }, 409, 'APPROVAL_CHANGED'],
    ['twice', { status: 'approved', actor: 'ann' }, {}, 409, 'APPROVAL_DECIDED'],
    ['too late', { expiresAtMs: 1 }, {}, 410, 'APPROVAL_EXPIRED'],
    ['of another kind', {}, { verdict: 'maybe' }, 400, 'REQUEST_INVALID'],
  ])('is not answered %s', async (_how, changes, answer, status, code) => {
    await asked('c-1', changes);
    const payload = { verdict: 'approve', digest: DIGEST, ...answer };
    expect(await ask('POST', '/v1/approvals/c-1', payload)).toMatchObject({ status, body: { code } });
    expect(await said()).toEqual([]);
  });

  test('that nobody asked for is not found', async () => {
    const answer = await ask('POST', '/v1/approvals/c-9', { verdict: 'approve', digest: DIGEST });
    expect(answer).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});

describe.each([
  ['silences', { service: 'check*' }],
  ['freezes', {}],
])('%s', (what, more) => {
  const request = () => ({ environment: 'prod', reason: 'maintenance', untilMs: Date.now() + HOUR_MS, ...more });

  test('are said, shown, and taken back', async () => {
    const { status, body } = await ask('POST', `/v1/${what}`, request());
    expect(status).toBe(201);
    const list = async () => (await ask('GET', `/v1/${what}`)).body['items'] as unknown as { id: string }[];
    await expect.poll(async () => (await list()).length, EVENTUALLY).toBe(1);
    expect(await list()).toMatchObject([
      { id: body['id'], environment: 'prod', reason: 'maintenance', actor: 'token' },
    ]);
    expect((await ask('DELETE', `/v1/${what}/${body['id']}`)).status).toBe(200);
    await expect.poll(async () => (await list()).length, EVENTUALLY).toBe(0);
    expect((await ask('DELETE', `/v1/${what}/${body['id']}`)).status).toBe(404);
  });

  test.each([
    ['without a reason', { reason: ' ' }, 400],
    ['that are over', { untilMs: 1 }, 422],
    ['without an end in sight', { untilMs: Date.now() + 365 * 24 * HOUR_MS }, 422],
  ])('%s are refused', async (_how, changes, status) => {
    expect((await ask('POST', `/v1/${what}`, { ...request(), ...changes })).status).toBe(status);
    expect(await said()).toEqual([]);
  });
});

describe('a folder of configuration', () => {
  const dir = mkdtempSync(join(tmpdir(), 'flyball-policies-'));
  const slo = (ratio: string) =>
    `kind: ServiceLevelObjective\nmetadata: { name: s }\nspec: { environment: prod, service: web, objectiveRatio: ${ratio} }\n`;
  const BINDING =
    'kind: TargetBinding\nmetadata: { name: b }\nspec: { environment: prod, service: web, target: { driver: twin, name: web, fencing: none } }\n';
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test('is put on record, each file by its kind, and again only what has changed', async () => {
    mkdirSync(join(dir, 'slos'), { recursive: true });
    mkdirSync(join(dir, 'bindings'), { recursive: true });
    writeFileSync(join(dir, 'slos', 'web.yaml'), slo('0.99'));
    writeFileSync(join(dir, 'bindings', 'web.yaml'), BINDING);
    await recordPolicies(dir, words, log);
    await recordPolicies(dir, words, log);
    expect(await said()).toMatchObject([
      { type: 'binding', environment: 'prod', service: 'web', target: { driver: 'twin', fencing: 'none' } },
      {
        ...{ type: 'slo', environment: 'prod', service: 'web', sli: 'errors' },
        ...{ objectiveRatio: 0.99, windowMs: 30 * 24 * HOUR_MS },
      },
    ]);
    writeFileSync(join(dir, 'slos', 'web.yaml'), slo('0.999'));
    await recordPolicies(dir, words, log);
    expect((await said()).map((word) => word.type)).toEqual(['binding', 'slo', 'slo']);
  });

  test('that nobody can read is refused with the name of the file, and nothing of it is on record', async () => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'a.yaml'), slo('0.99'));
    writeFileSync(join(dir, 'b.yaml'), slo('99'));
    await expect(recordPolicies(dir, words, log)).rejects.toThrow(RejectedError);
    await expect(recordPolicies(dir, words, log)).rejects.toThrow(/b\.yaml: .*objectiveRatio/);
    expect(await said()).toEqual([]);
  });
});
