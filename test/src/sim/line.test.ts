import { auditCodec, commandsCodec, incidentsCodec, signalsCodec, verifyChain, windowsCodec } from '@flyball/contracts';
import type { Log } from '@flyball/runtime';
import { Marks, provenanceOf, type StoredRecord } from '@flyball/runtime';
import { allRecords, type FaultRates, recordsOf, seen } from '@flyball/testing';
import { describe, expect, test } from 'vitest';
import { promiseBreaches, windowBreaches } from './line-oracle.ts';
import { livelyBreaches } from './lively-oracle.ts';
import { livelyStory } from './lively-story.ts';
import { LANES, LineWorld, outcomesOf, QUIET } from './line-world.ts';

// Goal: whatever dies, and in whatever order lanes and actuators run: every window is exact, every verdict the same,
// every command carried out at most once, and nothing is done while we are blind. Method: the real line, the real
// runner, the real actuator over a log that lies, driven by dice; compared with a calm run of the same facts.
// A failing seed is a complete bug report: SIM_SEED=<seed> npx vitest run test/src/sim/line.test.ts

const CALM: FaultRates = { zombie: 0, crash: 0, checkpoint: 0.02 };
const ROUGH: FaultRates = { zombie: 0.01, crash: 0.03, checkpoint: 0.1 };
const SEEDS = process.env['SIM_SEED'] ? [Number(process.env['SIM_SEED'])] : [1, 2];

async function past<T>(log: Log, topic: string, decode: (record: StoredRecord) => T): Promise<T[]> {
  const found: T[] = [];
  for (let partition = 0; partition < LANES; partition += 1) {
    const marks = new Marks();
    for (const record of await recordsOf(log, { topic, partition })) {
      if (marks.raise(provenanceOf(record.headers), record.appendedAtMs)) found.push(decode(record));
    }
  }
  return found;
}
const commandsOf = (log: Log) => past(log, 'remediation.commands', (record) => commandsCodec.decode(record));
const incidentsOf = (log: Log) => past(log, 'flyball.incidents', (record) => incidentsCodec.decode(record));
const judgedOf = async (log: Log) =>
  (await past(log, 'flyball.signals', (record) => signalsCodec.decode(record)))
    .filter(({ type }) => type === 'assessment' || type === 'signal')
    .map((message) => JSON.stringify(message))
    .sort();

async function expectSound(log: Log, attempts: ReadonlyMap<string, number>, effects: readonly string[]): Promise<void> {
  for (const [commandId, count] of attempts) expect(count, commandId).toBe(1);
  const outcomes = await outcomesOf(log as never);
  const commands = new Set((await commandsOf(log)).map(({ commandId }) => commandId));
  for (const commandId of commands) {
    const final = outcomes.filter((message) => message.type === 'outcome' && message.commandId === commandId);
    expect(final.length, `${commandId} has ended`).toBeGreaterThan(0);
  }
  for (const message of outcomes) {
    expect(commands.has(message.commandId)).toBe(true);
    if (message.type === 'outcome' && message.status === 'applied') expect(effects).toContain(message.commandId);
  }
  const chain = await past(log, 'flyball.audit', (record) => auditCodec.decode(record));
  expect(verifyChain(chain).firstBad).toBeNull();
  expect(chain.length).toBeGreaterThanOrEqual(outcomes.length + commands.size + 3);
  expect(await allRecords(log, 'flyball.dead_letters')).toEqual([]);
}

describe.each(SEEDS)('seed %i', (seed) => {
  test('windows and verdicts are the same in a rough run, with late data, a blackout and a hole in time', async () => {
    const story = {
      ...QUIET,
      seconds: 70,
      deployAt: 20,
      brokenAt: 40,
      stableErrors: 0.2,
      dark: [50, 54] as const,
      hole: [58, 66] as const,
      promises: [0.99, 0.995] as const,
    };
    const calm = await LineWorld.run(seed, CALM, story);
    const rough = await LineWorld.run(seed, ROUGH, story);
    for (const topic of ['flyball.partials', 'flyball.windows']) {
      expect(await seen(rough.log, topic), topic).toEqual(await seen(calm.log, topic));
      expect((await allRecords(calm.log, topic)).length, topic).toBe((await seen(calm.log, topic)).length);
    }
    expect(await judgedOf(rough.log)).toEqual(await judgedOf(calm.log));
    const windows = (await past(calm.log, 'flyball.windows', (record) => windowsCodec.decode(record))).filter(
      (message) => message.type === 'window',
    );
    expect(windows.some(({ lateSpans }) => lateSpans > 0)).toBe(true);
    expect(windows.some(({ coverage }) => coverage < 1)).toBe(true);
    const judged = (await past(rough.log, 'flyball.signals', (record) => signalsCodec.decode(record))).filter(
      (message) => message.type === 'assessment' || message.type === 'signal',
    );
    expect(promiseBreaches(judged, windows, [0.99, 0.995])).toEqual([]);
    expect(judged.some((message) => message.type === 'signal' && message.objective !== undefined)).toBe(true);
    const { crashes, zombies, failures } = rough.world.report;
    for (const count of [crashes, zombies, failures]) expect(count).toBeGreaterThan(20);
    expect((await allRecords(rough.log, 'flyball.windows')).length).toBeGreaterThan(
      (await seen(rough.log, 'flyball.windows')).length,
    );
    for (const { log, target } of [calm, rough]) await expectSound(log, target.attempts, target.effects);
  });

  test('windows are those of the raw records whoever has a wrong clock, and whatever is sent or delivered again', async () => {
    const skew = { from: 12, until: 18, byMs: seed % 2 === 0 ? 20_000 : -9_000 };
    const story = { ...QUIET, seconds: 40, isUnruly: true, tailSeconds: 8, skew };
    const { log, world } = await LineWorld.run(seed, ROUGH, story);
    expect(await windowBreaches(log)).toEqual([]);
    expect(world.report.crashes).toBeGreaterThan(20);
    const windows = (await past(log, 'flyball.windows', (record) => windowsCodec.decode(record))).filter(
      (message) => message.type === 'window',
    );
    expect(windows.some(({ earlySpans }) => earlySpans > 0)).toBe(true);
    expect(windows.some(({ lateSpans }) => lateSpans > 0)).toBe(true);
    const signals = (await judgedOf(log)).filter(
      (line) => line.includes('"type":"signal"') && !line.includes('"traffic"'),
    );
    expect(signals).toEqual([]);
  });

  test('a failing release is rolled back once, however rough the run', async () => {
    const story = { ...QUIET, seconds: 90, deployAt: 25, canaryErrors: 0.3, obeys: true };
    for (const rates of [CALM, ROUGH]) {
      const { log, target } = await LineWorld.run(seed, rates, story);
      await expectSound(log, target.attempts, target.effects);
      const [command] = await commandsOf(log);
      expect(command?.action).toEqual({ type: 'rollback', fromVersion: 'v2', toVersion: 'v1' });
      expect(target.effects).toHaveLength(1);
      const last = (await incidentsOf(log)).at(-1);
      expect(last).toMatchObject({ status: 'closed', resolution: 'verified' });
    }
  });

  test('an overloaded service is throttled once, for a time, and stands without it, however rough the run', async () => {
    const story = { ...QUIET, seconds: 100, overloadAt: 25, obeys: true };
    for (const rates of [CALM, ROUGH]) {
      const { log, target } = await LineWorld.run(seed, rates, story);
      await expectSound(log, target.attempts, target.effects);
      const commands = await commandsOf(log);
      expect(commands).toMatchObject([{ action: { type: 'throttle' }, ttlMs: 20_000, release: 'ramp' }]);
      expect(target.effects).toHaveLength(1);
      const said = (await outcomesOf(log)).flatMap((each) => (each.type === 'outcome' ? [each.status] : []));
      expect(new Set(said)).toEqual(new Set(['applied', 'reverted']));
      expect(target.isRestrained('demo', 'web')).toBe(false);
      expect(target.inverses.get(commands[0]!.commandId)!.at(-1)).toBe(1);
      // Another incident may follow: that much of the budget is used.
      const { incidentId } = commands[0]!;
      const last = (await incidentsOf(log)).findLast((incident) => incident.incidentId === incidentId);
      expect(last).toMatchObject({ status: 'closed', resolution: 'verified' });
    }
  });

  test('a fault that was there before the release is not blamed on it', async () => {
    const story = { ...QUIET, deployAt: 38, brokenAt: 25, stableErrors: 0.2 };
    const { log, target } = await LineWorld.run(seed, CALM, story);
    expect([...target.attempts]).toEqual([]);
    const incident = (await incidentsOf(log)).at(-1)!;
    const refusals = incident.decisions.flatMap(({ gates }) =>
      gates.filter(({ passed }) => !passed).map(({ gate }) => gate),
    );
    expect(refusals).toContain('veto_preexisting');
  });

  test('a blackout in the middle of a release holds, and is named', async () => {
    const story = { ...QUIET, deployAt: 25, canaryErrors: 0.3, dark: [25, 60] as const };
    const { log, target } = await LineWorld.run(seed, CALM, { ...story, seconds: 60 });
    expect([...target.attempts]).toEqual([]);
    const incident = (await incidentsOf(log)).at(-1)!;
    expect(incident).toMatchObject({ status: 'open', signals: [] });
    expect(incident.title).toMatch(/blackout/);
    const judged = (await judgedOf(log)).map(
      (line) => JSON.parse(line) as { type: string; kind?: string; startMs: number; versions: { verdict: string }[] },
    );
    expect(judged.filter(({ type, kind }) => type === 'signal' && kind !== 'traffic')).toEqual([]);
  });
});

test('whatever operators say, and whoever dies: no order without leave, each in effect once and undone in time, and the same words again', async () => {
  const seeds = process.env['SIM_SEED'] ? SEEDS : [1, 8];
  const happened: Record<string, number> = {};
  for (const seed of seeds) {
    const { breaches, seen } = await livelyBreaches(await LineWorld.run(seed, ROUGH, livelyStory(seed)));
    expect(breaches, `seed ${seed}`).toEqual([]);
    for (const [what, count] of Object.entries(seen)) happened[what] = (happened[what] ?? 0) + count;
  }
  for (const what of ['throttles', 'undone', 'questions']) expect(happened[what], what).toBeGreaterThan(0);
});
