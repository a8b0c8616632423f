import { Actuator, ActuatorConfig } from '@flyball/actuator';
import {
  type Command,
  commandsCodec,
  controlCodec,
  type Outcome,
  outcomesCodec,
  type OutcomesMessage,
  targetKey,
} from '@flyball/contracts';
import { UnavailableError, utf8 } from '@flyball/core';
import { MemoryLog } from '@flyball/memory';
import { formatProvenance, type Log, PROVENANCE_HEADER, writerOrigin } from '@flyball/runtime';
import { altered, type AppendFault, FakeTarget, FaultyLog, recordsOf } from '@flyball/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

// Goal: whatever happens between the claim and the attempt, a "stop" is heard and nothing old is carried out; and what
// was done is told as it was. Method: a log that lets something happen right after the claim is in it.

const AT = { environment: 'demo', driver: 'fake', name: 'checkout', tenant: 'default' };
const EXPIRES_MS = 60_000;
const ORDER: Command = {
  ...{ type: 'command', commandId: 'c-1', target: AT, generation: [0, 1], issuedAtMs: 0, expiresAtMs: EXPIRES_MS },
  subject: { tenant: 'default', environment: 'demo', service: 'checkout' },
  action: { type: 'rollback', fromVersion: 'v2', toVersion: 'v1' },
  ...{ ttlMs: null, inverse: null, release: 'step', approval: null },
  incidentId: 'inc-1',
  policy: { name: 'p', version: 1, digest: 'd' },
  decision: { decisionId: 'd-1', sentence: '', counterfactual: '', gates: [] },
};
const OUTCOMES = { topic: 'remediation.outcomes', partition: 0 };

let nowMs: number;
let log: MemoryLog;
let target: FakeTarget;
let pauseFile: string;

const scratch = mkdtempSync(join(tmpdir(), 'flyball-pause-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

beforeEach(async () => {
  nowMs = 1_000;
  log = new MemoryLog(() => nowMs);
  for (const topic of ['remediation.commands', 'remediation.outcomes', 'flyball.control']) await log.create(topic, 1);
  target = new FakeTarget();
  target.open('demo', 'checkout', 'v1');
  target.deploy('demo', 'checkout', 'v2');
  pauseFile = join(mkdtempSync(join(scratch, 'pause-')), 'PAUSE');
  await log.append({ topic: 'remediation.commands', partition: 0 }, [
    { key: targetKey(AT), headers: commandsCodec.headers(ORDER), value: commandsCodec.encode(ORDER) },
  ]);
});
const open = (on: Log, drivers = [target], config: Partial<ActuatorConfig> = {}) => {
  const clocks = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  return Actuator.open(ActuatorConfig.parse(config), { log: on, drivers, pauseFile, ...clocks });
};
/** A word of writer `cli`; the same sequence is the same word once more. */
const word = (type: 'pause' | 'resume', sequence: number, tenant = 'default') => {
  const provenance = { origin: writerOrigin('api', 'cli'), epoch: 0, position: sequence, index: 0 };
  const headers = { [PROVENANCE_HEADER]: formatProvenance(provenance) };
  const value = controlCodec.encode({ type, wordId: `${sequence}`, actor: 'cli', tenant, reason: '' });
  return log.append({ topic: 'flyball.control', partition: 0 }, [{ key: tenant, headers, value }]);
};
const said = async (): Promise<OutcomesMessage[]> =>
  (await recordsOf(log, OUTCOMES)).map((record) => outcomesCodec.decode(record));
const final = async () => (await said()).filter((message): message is Outcome => message.type === 'outcome');
const run = async (actuator: Actuator) => {
  while (await actuator.partitions[0]!.pump());
};

/** A log in which something happens at the first read of a topic after the claim. */
function afterClaim(topic: string, happens: () => unknown): Log {
  let [isClaimed, isOver] = [false, false];
  return altered<Log>(log, {
    append: (to, records) => {
      isClaimed ||= to.topic === OUTCOMES.topic;
      return log.append(to, records);
    },
    read: async (from, fromOffset, maxBytes) => {
      const isDue = isClaimed && !isOver && from.topic === topic;
      isOver ||= isDue;
      if (isDue) await happens();
      return log.read(from, fromOffset, maxBytes);
    },
  });
}

describe('after the claim, but before the attempt', () => {
  test.each<[string, Partial<Outcome>, (actuator: () => Actuator) => unknown]>([
    ['a pause on record', { status: 'rejected', reason: 'kill_switch' }, () => word('pause', 2)],
    ['the file PAUSE', { status: 'rejected', reason: 'kill_switch' }, () => writeFileSync(pauseFile, '')],
    [
      'a word at its own port',
      { status: 'rejected', reason: 'kill_switch' },
      (actuator) => actuator().killSwitch.pauseHere(true),
    ],
    ['the instant at which it expires', { status: 'expired' }, () => (nowMs = EXPIRES_MS)],
    ['more time than a claim is good for', { status: 'rejected', reason: 'claim_expired' }, () => (nowMs += 5_001)],
  ])('%s stops it', async (_name, expected, happens) => {
    await word('resume', 1);
    let actuator: Actuator | undefined = undefined;
    const on = afterClaim(OUTCOMES.topic, () => happens(() => actuator!));
    actuator = await open(on);
    await run(actuator);
    expect([...target.attempts]).toEqual([]);
    expect(await final()).toMatchObject([expected]);
  });

  test('a control topic that takes too long to read stops it: what it says is old by then', async () => {
    await word('resume', 1);
    await run(await open(afterClaim('flyball.control', () => (nowMs += 1_001))));
    expect([...target.attempts]).toEqual([]);
    expect(await final()).toMatchObject([{ reason: 'kill_switch', detail: expect.stringContaining('cannot be read') }]);
  });

  test('nothing that happens in time does', async () => {
    await word('resume', 1);
    await run(await open(afterClaim(OUTCOMES.topic, () => (nowMs += 5_000))));
    expect(await final()).toMatchObject([{ status: 'applied', by: 'attempt' }]);
  });
});

describe('a claim is as old as its first try: others may have given up on it, and told what they saw', () => {
  const AWAY_MS = 20_000;

  test('an answer to the claim that took too long stops it', async () => {
    await word('resume', 1);
    const faults: AppendFault[] = ['unacked'];
    const faulty = new FaultyLog(
      log,
      () => faults.shift() ?? 'none',
      () => false,
    );
    const actuator = await open(faulty);
    await expect(actuator.partitions[0]!.pump()).rejects.toMatchObject({ code: 'LOG_APPEND_UNKNOWN' });
    nowMs += AWAY_MS;
    await run(actuator);
    expect([...target.attempts]).toEqual([]);
    expect(await final()).toMatchObject([{ status: 'rejected', reason: 'claim_expired' }]);
  });

  test('a log that was away between the claim and the attempt stops it', async () => {
    await word('resume', 1);
    const away = () => {
      nowMs += AWAY_MS;
      throw new UnavailableError('LOG_UNAVAILABLE', 'planted: the log is away');
    };
    const actuator = await open(afterClaim('flyball.control', away));
    await expect(actuator.partitions[0]!.pump()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await run(actuator);
    expect([...target.attempts]).toEqual([]);
    expect(await final()).toMatchObject([{ status: 'rejected', reason: 'claim_expired' }]);
  });
});

test('of actuators that claim at the very same time one acts', async () => {
  await word('resume', 1);
  const actuators = await Promise.all([open(log), open(log), open(log)]);
  await Promise.all(actuators.map((actuator) => actuator.partitions[0]!.pump()));
  expect((await said()).filter(({ type }) => type === 'claim').length).toBeGreaterThan(1);
  for (const actuator of actuators) await run(actuator);
  expect(target.attempts.get('c-1')).toBe(1);
  expect(await final()).toMatchObject([{ status: 'applied', by: 'attempt' }]);
});

test('an outcome whose append was not answered is told again as it was, and nothing is found out anew', async () => {
  await word('resume', 1);
  const faults: AppendFault[] = ['none', 'lost', 'full'];
  const faulty = new FaultyLog(
    log,
    () => faults.shift() ?? 'none',
    () => false,
  );
  const actuator = await open(faulty);
  for (let attempt = 0; attempt < 2; attempt += 1)
    await expect(actuator.partitions[0]!.pump()).rejects.toMatchObject({ kind: 'unavailable' });
  await run(actuator);
  expect(await final()).toMatchObject([{ status: 'applied', by: 'attempt', before: 'v1, v2', after: 'v1' }]);
});

test('an attempt without an answer ends at its deadline, and the target is read', async () => {
  await word('resume', 1);
  const silent = altered(target, { apply: () => new Promise<never>(() => undefined) });
  await run(await open(log, [silent], { attemptDeadlineMs: 100 }));
  expect(await final()).toMatchObject([{ status: 'unknown', by: 'reading' }]);
});

test('a "resume" that lands once more does not undo a pause', async () => {
  await word('resume', 1);
  await word('pause', 2);
  await word('resume', 1);
  await run(await open(log));
  expect(await said()).toEqual([]);
  await word('resume', 3);
  await run(await open(log));
  expect(target.attempts.get('c-1')).toBe(1);
});

test('nothing is done behind an outcome of a later release: it may be a claim', async () => {
  await word('resume', 1);
  const value = utf8(JSON.stringify({ type: 'claim2', commandId: 'c-1', run: 'other' }));
  await log.append(OUTCOMES, [{ key: targetKey(AT), headers: {}, value }]);
  const actuator = await open(log);
  for (let pump = 0; pump < 3; pump += 1)
    await expect(actuator.partitions[0]!.pump()).rejects.toMatchObject({ code: 'REMEDIATION_OUTCOMES_UNREADABLE' });
  expect([...target.attempts]).toEqual([]);
});

test('a word of a later release, which may be a pause, counts as one until somebody says "resume"', async () => {
  await word('resume', 1);
  const value = utf8(JSON.stringify({ type: 'pause_environment', wordId: '2', actor: 'cli', tenant: 'default' }));
  await log.append({ topic: 'flyball.control', partition: 0 }, [{ key: 'default', headers: {}, value }]);
  const actuator = await open(log);
  await expect(actuator.partitions[0]!.pump()).rejects.toMatchObject({ code: 'FLYBALL_CONTROL_UNREADABLE' });
  await run(actuator);
  expect(await said()).toEqual([]);
  expect(actuator.killSwitch.stoppedBy('default', 60_000)).toContain('flyball.control/0, offset 1');
  await word('resume', 3);
  await run(actuator);
  expect(target.attempts.get('c-1')).toBe(1);
});

test('a "resume" of one tenant starts nothing of another', async () => {
  await word('resume', 1, 'other');
  await run(await open(log));
  expect(await said()).toEqual([]);
});
