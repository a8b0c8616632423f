import { Actuator, ActuatorConfig, listenControlPort } from '@flyball/actuator';
import { type Command, commandsCodec, controlCodec, type Outcome, outcomesCodec, targetKey } from '@flyball/contracts';
import { Prng, UnavailableError } from '@flyball/core';
import { MemoryLog } from '@flyball/memory';
import { type AppendFault, FakeTarget, FaultyLog, recordsOf, type TargetFault } from '@flyball/testing';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

// Goal: an order is tried at most once, never after somebody said stop, and everybody learns what became of it.
// Method: actuators in the hands of the test, with its own clock, over a log and a target that fail on request.

const AT = { environment: 'demo', driver: 'fake', name: 'checkout', tenant: 'default' };
const about = {
  incidentId: 'inc-1',
  policy: { name: 'p', version: 1, digest: 'd' },
  decision: { decisionId: 'd-1', sentence: '', counterfactual: '', gates: [] },
};
const order = (commandId: string, generation: [number, number], more: Partial<Command> = {}): Command => ({
  type: 'command',
  commandId,
  target: AT,
  subject: { tenant: 'default', environment: 'demo', service: 'checkout' },
  action: { type: 'rollback', fromVersion: 'v2', toVersion: 'v1' },
  generation,
  issuedAtMs: 0,
  expiresAtMs: 60_000,
  ...{ ttlMs: null, inverse: null, release: 'step', approval: null },
  ...about,
  ...more,
});

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
});
const open = (on: MemoryLog | FaultyLog = log, config: Partial<ActuatorConfig> = {}) =>
  Actuator.open(ActuatorConfig.parse(config), {
    log: on,
    drivers: [target],
    pauseFile,
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
  });
const issue = (command: Command) =>
  log.append({ topic: 'remediation.commands', partition: 0 }, [
    { key: targetKey(command.target), headers: commandsCodec.headers(command), value: commandsCodec.encode(command) },
  ]);
const word = (type: 'pause' | 'resume') =>
  log.append({ topic: 'flyball.control', partition: 0 }, [
    {
      key: 'default',
      headers: {},
      value: controlCodec.encode({ type, wordId: `${nowMs}`, actor: 'cli', tenant: 'default', reason: '' }),
    },
  ]);
const run = async (actuator: Actuator) => {
  while (await actuator.partitions[0]!.pump());
};
const outcomes = async () =>
  (await recordsOf(log, { topic: 'remediation.outcomes', partition: 0 })).map((record) => outcomesCodec.decode(record));
const final = async () => (await outcomes()).filter((message): message is Outcome => message.type === 'outcome');

describe('an order', () => {
  test('is claimed, tried once and reported, as a CloudEvent', async () => {
    await word('resume');
    await issue(order('c-1', [0, 1]));
    await run(await open());
    expect((await outcomes()).map(({ type }) => type)).toEqual(['claim', 'outcome']);
    expect(await final()).toMatchObject([{ status: 'applied', by: 'attempt', before: 'v1, v2', after: 'v1' }]);
    const [claim] = await recordsOf(log, { topic: 'remediation.outcomes', partition: 0 });
    expect(claim!.headers).toMatchObject({
      ce_specversion: '1.0',
      ce_id: 'c-1.claimed',
      ce_type: 'dev.flyball.remediation.outcome.claimed',
    });
    await issue(order('c-1', [0, 1])); // The planner's lane ran again.
    await run(await open()); // And a new actuator too.
    expect(target.attempts.get('c-1')).toBe(1);
    expect(await final()).toHaveLength(1);
  });

  test('of another’s claim is left to it, then found out by reading', async () => {
    await word('resume');
    await issue(order('c-1', [0, 1]));
    const claim = {
      type: 'claim' as const,
      commandId: 'c-1',
      target: AT,
      incidentId: 'inc-1',
      run: 'dead',
      claimedAtMs: 0,
    };
    await log.append({ topic: 'remediation.outcomes', partition: 0 }, [
      { key: '', headers: {}, value: outcomesCodec.encode(claim) },
    ]);
    const actuator = await open();
    await run(actuator);
    expect(await final()).toEqual([]);
    nowMs += 15_001;
    await run(actuator);
    expect(await final()).toMatchObject([{ status: 'unknown', by: 'reading' }]);
    expect([...target.attempts]).toEqual([]);
  });

  test.each<[TargetFault, Partial<Outcome>]>([
    ['unavailable', { status: 'failed', reason: 'adapter_error' }],
    ['done-unknown', { status: 'applied', by: 'reading' }],
    ['undone-unknown', { status: 'unknown', by: 'reading' }],
  ])('whose attempt is %s is never tried again', async (fault, expected) => {
    await word('resume');
    target.nextFaults = [fault];
    await issue(order('c-1', [0, 1]));
    const actuator = await open();
    await run(actuator);
    nowMs += 60_000;
    await run(actuator);
    expect(await final()).toMatchObject([expected]);
    expect(target.attempts.get('c-1') ?? 0).toBeLessThanOrEqual(1);
  });

  test('that expired, is older than another, has no driver, or finds the target changed, is refused by name', async () => {
    await word('resume');
    await issue(order('c-old', [0, 1]));
    await issue(order('c-late', [0, 9], { expiresAtMs: 900 }));
    await issue(order('c-none', [0, 1], { target: { ...AT, driver: 'ghost' } }));
    await issue(order('c-changed', [0, 9], { action: { type: 'rollback', fromVersion: 'v7', toVersion: 'v1' } }));
    await run(await open());
    const byId = Object.fromEntries(
      (await final()).map(({ commandId, status, reason }) => [commandId, `${status} ${reason}`]),
    );
    expect(byId).toEqual({
      'c-old': 'rejected stale_generation',
      'c-late': 'expired null',
      'c-none': 'rejected no_driver',
      'c-changed': 'rejected precondition',
    });
  });
});

describe('nothing starts', () => {
  const held = async (actuator: Actuator) => {
    await run(actuator);
    expect([[...target.attempts], await final()]).toEqual([[], []]);
  };

  test('while there is no word on record; then with it', async () => {
    await issue(order('c-1', [0, 1]));
    const actuator = await open();
    await held(actuator);
    await word('resume');
    await run(actuator);
    expect(target.attempts.get('c-1')).toBe(1);
  });

  test('after a pause on record', async () => {
    await word('resume');
    await word('pause');
    await issue(order('c-1', [0, 1]));
    await held(await open());
  });

  test('while the file PAUSE is there', async () => {
    await word('resume');
    writeFileSync(pauseFile, '');
    await issue(order('c-1', [0, 1]));
    const actuator = await open();
    await held(actuator);
    rmSync(pauseFile);
    expect(existsSync(pauseFile)).toBe(false);
    await run(actuator);
    expect(target.attempts.get('c-1')).toBe(1);
  });

  test('while nobody can tell whether the file PAUSE is there', async () => {
    await word('resume');
    symlinkSync(pauseFile, pauseFile); // Leads to itself: an error of the disk, not a missing file.
    await issue(order('c-1', [0, 1]));
    const actuator = await open();
    await held(actuator);
    rmSync(pauseFile);
    await run(actuator);
    expect(target.attempts.get('c-1')).toBe(1);
  });

  test('while the audit cannot be written', async () => {
    await word('resume');
    await issue(order('c-1', [0, 1]));
    let auditFailure = 'AUDIT_UNWRITABLE';
    const actuator = await Actuator.open(ActuatorConfig.parse({}), {
      ...{ log, drivers: [target], pauseFile, wallMs: () => nowMs, monotonicMs: () => nowMs },
      auditFailure: () => auditFailure,
    });
    await held(actuator);
    auditFailure = '';
    await run(actuator);
    expect(target.attempts.get('c-1')).toBe(1);
  });

  test('after a word at its own port, which only the token opens', async () => {
    await word('resume');
    const actuator = await open();
    const port = await listenControlPort(actuator.killSwitch, ActuatorConfig.parse({}), 'secret');
    const say = (path: string, token: string) =>
      fetch(`http://127.0.0.1:${port.port}${path}`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    expect((await say('/pause', 'wrong')).status).toBe(401);
    expect((await say('/pause', 'secret')).status).toBe(200);
    await issue(order('c-1', [0, 1]));
    await held(actuator);
    await say('/resume', 'secret');
    await port.close();
    await run(actuator);
    expect(target.attempts.get('c-1')).toBe(1);
  });

  test('while the log cannot be read, and a held order expires', async () => {
    await word('resume');
    await issue(order('c-1', [0, 1]));
    let isAway = true;
    const actuator = await open(
      new FaultyLog(
        log,
        () => 'none',
        () => isAway,
      ),
    );
    await expect(actuator.partitions[0]!.pump()).rejects.toMatchObject({ kind: 'unavailable' });
    isAway = false;
    nowMs = 61_000;
    await run(actuator);
    expect([...target.attempts]).toEqual([]);
    expect(await final()).toMatchObject([{ status: 'expired' }]);
  });
});

function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof UnavailableError)) throw error;
}

test('however actuators die, wake and fail, an order is tried at most once and ends (150 seeds)', async () => {
  const faults: AppendFault[] = ['none', 'none', 'none', 'lost', 'unacked', 'late', 'full'];
  let unknown = 0;
  for (let seed = 0; seed < 150; seed += 1) {
    const dice = new Prng(seed);
    nowMs = 1_000;
    log = new MemoryLog(() => nowMs);
    for (const topic of ['remediation.commands', 'remediation.outcomes', 'flyball.control']) await log.create(topic, 1);
    target = new FakeTarget();
    target.open('demo', 'checkout', 'v1');
    target.nextFaults = Array.from({ length: 10 }, () =>
      dice.pick<TargetFault>(['none', 'none', 'unavailable', 'done-unknown', 'undone-unknown']),
    );
    await word('resume');
    const faulty = new FaultyLog(
      log,
      () => dice.pick(faults),
      () => dice.chance(0.05),
    );
    const actuators = [await open(faulty)];
    const issued: string[] = [];
    for (let step = 0; step < 120; step += 1) {
      nowMs += dice.below(400);
      if (issued.length < 4 && dice.chance(0.08)) {
        target.deploy('demo', 'checkout', 'v2');
        const commandId = `c-${issued.length}`;
        issued.push(commandId);
        const command = order(commandId, [0, issued.length], { expiresAtMs: nowMs + 30_000 });
        await issue(command);
        if (dice.chance(0.3)) await issue(command);
      }
      if (actuators.length < 3 && dice.chance(0.05)) actuators.push(await open(faulty));
      if (actuators.length > 1 && dice.chance(0.05)) actuators.splice(dice.below(actuators.length), 1);
      // Mostly one by one, now and then all at the very same time.
      const awake = dice.chance(0.3) ? actuators : [dice.pick(actuators)];
      await Promise.all(awake.map((actuator) => actuator.partitions[0]!.pump().catch(ignoreUnavailable)));
    }
    await faulty.heal();
    nowMs += 100_000;
    for (const actuator of [...actuators, await open(faulty)]) await run(actuator);
    for (const [commandId, count] of target.attempts) expect(count, `seed ${seed} ${commandId}`).toBe(1);
    const ended = await final();
    for (const commandId of issued) {
      const statuses = ended.filter((outcome) => outcome.commandId === commandId).map(({ status }) => status);
      expect(statuses.length, `seed ${seed} ${commandId} has ended`).toBeGreaterThan(0);
      if (statuses[0] === 'applied') expect(target.effects).toContain(commandId);
      if (statuses.includes('unknown')) unknown += 1;
    }
  }
  expect(unknown).toBeGreaterThan(10);
});
