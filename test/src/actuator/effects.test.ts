import { Actuator, ActuatorConfig } from '@flyball/actuator';
import { type Command, commandsCodec, controlCodec, type Outcome, outcomesCodec, targetKey } from '@flyball/contracts';
import { Prng, UnavailableError } from '@flyball/core';
import { MemoryLog } from '@flyball/memory';
import type { Log } from '@flyball/runtime';
import { altered, FakeTarget, FaultyLog, recordsOf } from '@flyball/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

// Goal: nobody comes back to a throttle that was forgotten, and nobody's own setting is undone. Method: actuators on a
// clock of the test's, that die, are paused and lose their target between the effect and its end.

const AT = { tenant: 'default', environment: 'demo', driver: 'fake', name: 'web' };
const TTL_MS = 30_000;
const STEP_MS = 2_000;
const CONFIG = { rampStepMs: STEP_MS, undoRetryMs: 1_000, claimGraceMs: 5_000 };
const throttle = (commandId: string, more: Partial<Command> = {}): Command => ({
  ...{ type: 'command', commandId, target: AT, generation: [0, 1], issuedAtMs: 0, expiresAtMs: 60_000 },
  subject: { tenant: 'default', environment: 'demo', service: 'web' },
  action: { type: 'throttle', limit: { kind: 'ratio', value: 0.5 } },
  ...{ ttlMs: TTL_MS, inverse: { type: 'unthrottle' }, release: 'ramp', approval: null },
  ...{ incidentId: 'inc-1', policy: { name: 'p', version: 1, digest: 'd' } },
  decision: { decisionId: 'd-1', sentence: '', counterfactual: '', gates: [] },
  ...more,
});
const INSTANCE = 'web-v1-0';
const isolate = (commandId: string, ttlMs: number | null): Command =>
  throttle(commandId, {
    ...{ action: { type: 'isolate', instance: INSTANCE }, inverse: { type: 'readmit', instance: INSTANCE } },
    ...{ ttlMs, release: 'step' },
  });

let nowMs: number;
let log: MemoryLog;
let target: FakeTarget;
let pauseFile: string;
const scratch = mkdtempSync(join(tmpdir(), 'flyball-effects-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

beforeEach(async () => {
  nowMs = 1_000;
  log = new MemoryLog(() => nowMs);
  for (const topic of ['remediation.commands', 'remediation.outcomes', 'flyball.control']) await log.create(topic, 1);
  target = new FakeTarget();
  target.open('demo', 'web', 'v1');
  pauseFile = join(mkdtempSync(join(scratch, 'pause-')), 'PAUSE');
});
const open = (
  on: Log = log,
  { drivers = [target], aheadMs = 0 }: { drivers?: FakeTarget[]; aheadMs?: number } = {},
) => {
  const clocks = { wallMs: () => nowMs + aheadMs, monotonicMs: () => nowMs };
  return Actuator.open(ActuatorConfig.parse(CONFIG), { log: on, drivers, pauseFile, ...clocks });
};
/** Something to wait for. */
const latch = () => {
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  return { opened, open: () => resolve() };
};
const issue = (command: Command) =>
  log.append({ topic: 'remediation.commands', partition: 0 }, [
    { key: targetKey(command.target), headers: commandsCodec.headers(command), value: commandsCodec.encode(command) },
  ]);
const word = (type: 'pause' | 'resume') =>
  log.append({ topic: 'flyball.control', partition: 0 }, [
    {
      ...{ key: 'default', headers: {} },
      value: controlCodec.encode({ type, wordId: `${nowMs}`, actor: 'cli', tenant: 'default', reason: '' }),
    },
  ]);
const run = async (actuator: Actuator) => {
  while (await actuator.partitions[0]!.pump());
};
const statuses = async () =>
  (await recordsOf(log, { topic: 'remediation.outcomes', partition: 0 }))
    .map((record) => outcomesCodec.decode(record))
    .filter((message): message is Outcome => message.type === 'outcome');

/** An actuator that has carried out a command. */
async function acted(command: Command): Promise<Actuator> {
  await word('resume');
  await issue(command);
  const actuator = await open();
  await run(actuator);
  expect(await statuses()).toMatchObject([{ status: 'applied' }]);
  return actuator;
}

test.each([
  ['has no driver for it', { drivers: [] }],
  ['finds it expired by a clock that is ahead', { aheadMs: 60_000 }],
])(
  'what one actuator does is told and undone, though another, which has not read its claim yet, %s',
  async (_why, other) => {
    await word('resume');
    await issue(throttle('c-1', { release: 'step' }));
    const [attempting, control, attempt] = [latch(), latch(), latch()];
    const slow = altered(target, {
      apply: async (command: Command) => {
        attempting.open();
        await attempt.opened;
        return target.apply(command);
      },
    });
    const held = altered<Log>(log, {
      read: async (from, fromOffset, maxBytes) => {
        if (from.topic === 'flyball.control') await control.opened;
        return log.read(from, fromOffset, maxBytes);
      },
    });
    const actor = await open(log, { drivers: [slow] });
    const late = await open(held, other);
    // It has read all there is, and waits; then the command is claimed and tried.
    const lateIsDone = late.partitions[0]!.pump();
    await new Promise((resolve) => setTimeout(resolve, 10));
    const actorIsDone = actor.partitions[0]!.pump();
    await attempting.opened;
    control.open();
    await lateIsDone;
    attempt.open();
    await actorIsDone;
    expect(await statuses()).toMatchObject([{ status: 'applied' }]);
    nowMs += TTL_MS;
    await run(actor);
    await run(late);
    expect(await statuses()).toMatchObject([{ status: 'applied' }, { status: 'reverted' }]);
    expect(target.isRestrained('demo', 'web')).toBe(false);
  },
);

describe('a throttle', () => {
  test('stays for its time, then is released in four steps, and that is reported once', async () => {
    const actuator = await acted(throttle('c-1'));
    nowMs += TTL_MS - 1;
    await run(actuator);
    expect(target.force('demo', 'web', 'c-1')).toBe(1);
    nowMs += 1;
    for (const left of [0.75, 0.5, 0.25]) {
      await run(actuator);
      expect(target.force('demo', 'web', 'c-1')).toBe(left);
      expect(await statuses()).toHaveLength(1);
      nowMs += STEP_MS;
    }
    await run(actuator);
    expect((await statuses()).slice(1)).toMatchObject([{ status: 'reverted', by: 'attempt', after: 'v1' }]);
    nowMs += TTL_MS;
    await run(actuator);
    await run(await open());
    expect(await statuses()).toHaveLength(2);
    expect(target.inverses.get('c-1')).toEqual([0.25, 0.5, 0.75, 1]);
  });

  test.each<[string, () => unknown]>([
    ['a pause on record', () => word('pause')],
    ['the file PAUSE', () => writeFileSync(pauseFile, '')],
  ])('is released also after %s', async (_what, pause) => {
    const actuator = await acted(throttle('c-1', { release: 'step' }));
    await pause();
    nowMs += TTL_MS;
    await run(actuator);
    expect(await statuses()).toMatchObject([{}, { status: 'reverted' }]);
  });

  test('is released gradually by whoever comes after the one who set it, late as it is', async () => {
    await acted(throttle('c-1'));
    nowMs += TTL_MS + 600_000;
    const heir = await open();
    await run(heir);
    expect(target.force('demo', 'web', 'c-1')).toBe(0.75);
    for (let step = 0; step < 3; step += 1) {
      nowMs += STEP_MS;
      await run(heir);
    }
    expect(await statuses()).toMatchObject([{}, { status: 'reverted' }]);
  });

  test('is released again and again until its target has answered', async () => {
    const actuator = await acted(throttle('c-1', { release: 'step' }));
    target.isAway = true;
    nowMs += TTL_MS;
    for (let round = 0; round < 5; round += 1) {
      await run(actuator);
      nowMs += 10_000;
    }
    expect(await statuses()).toHaveLength(1);
    target.isAway = false;
    nowMs += 60_000;
    await run(actuator);
    expect(await statuses()).toMatchObject([{}, { status: 'reverted' }]);
  });

  test('is released at its time also while the log is away, and that is told once when it is back', async () => {
    const actuator = await acted(throttle('c-1'));
    const [read, append] = [log.read.bind(log), log.append.bind(log)];
    const away = () => Promise.reject(new UnavailableError('LOG_UNAVAILABLE', 'planted'));
    const pumped = () => actuator.partitions[0]!.pump().catch((error: UnavailableError) => error.code);
    Object.assign(log, { read: away, append: away });
    nowMs += TTL_MS;
    for (const left of [0.75, 0.5, 0.25, 0]) {
      expect([await pumped(), await pumped()]).toEqual(['LOG_UNAVAILABLE', 'LOG_UNAVAILABLE']);
      expect(target.force('demo', 'web', 'c-1')).toBe(left);
      nowMs += STEP_MS;
    }
    // It can be read again, but not be told yet.
    Object.assign(log, { read });
    expect([await pumped(), await pumped()]).toEqual(['LOG_UNAVAILABLE', 'LOG_UNAVAILABLE']);
    nowMs += TTL_MS;
    Object.assign(log, { append });
    await run(actuator);
    await run(await open());
    expect(await statuses()).toMatchObject([{ status: 'applied' }, { status: 'reverted', by: 'attempt' }]);
    expect(await statuses()).toHaveLength(2);
    expect(target.inverses.get('c-1')).toEqual([0.25, 0.5, 0.75, 1]);
  });

  test('that two have released while the log was away is told of once', async () => {
    const actuators = [await acted(throttle('c-1', { release: 'step' })), await open()];
    await run(actuators[1]!);
    const read = log.read.bind(log);
    Object.assign(log, { read: () => Promise.reject(new UnavailableError('LOG_UNAVAILABLE', 'planted')) });
    nowMs += TTL_MS + CONFIG.claimGraceMs;
    for (const each of actuators) await expect(run(each)).rejects.toThrow('planted');
    expect(target.inverses.get('c-1')).toEqual([1, 1]);
    Object.assign(log, { read });
    for (const each of actuators) await run(each);
    expect(await statuses()).toHaveLength(2);
  });

  test('that somebody else has lifted is left as it is, and that is said', async () => {
    const actuator = await acted(throttle('c-1'));
    target.clear('demo', 'web');
    nowMs += TTL_MS;
    await run(actuator);
    expect((await statuses())[1]).toMatchObject({ status: 'reverted', by: 'reading' });
    expect((await statuses())[1]!.detail).toContain('not in place any more');
  });

  test('of which nobody knows whether it took effect is released all the same', async () => {
    target.nextFaults = ['undone-unknown'];
    await word('resume');
    await issue(throttle('c-1', { release: 'step' }));
    const actuator = await open();
    await run(actuator);
    expect(await statuses()).toMatchObject([{ status: 'unknown' }]);
    nowMs += TTL_MS;
    await run(actuator);
    expect(await statuses()).toMatchObject([{}, { status: 'reverted' }]);
  });

  test('without an end, or without a way back, is no command', () => {
    const bad = [throttle('c-1', { ttlMs: null }), throttle('c-1', { inverse: null })];
    for (const value of bad.map((each) => commandsCodec.encode(each)))
      expect(() => commandsCodec.decode({ value })).toThrow('cannot be read');
  });
});

test('an instance that was isolated for a time comes back; one that was isolated for good does not', async () => {
  const actuator = await acted(isolate('c-1', TTL_MS));
  await issue({ ...isolate('c-2', null), generation: [0, 2] });
  await run(actuator);
  nowMs += 100 * TTL_MS;
  await run(actuator);
  expect((await statuses()).map(({ commandId, status }) => `${commandId} ${status}`)).toEqual([
    'c-1 applied',
    'c-2 applied',
    'c-1 reverted',
  ]);
  expect(target.force('demo', 'web', 'c-2')).toBe(1);
});

test('nothing is done to a target that does not fence, but for what a person has approved', async () => {
  target = new FakeTarget('none');
  target.open('demo', 'web', 'v1');
  await word('resume');
  await issue(throttle('c-1'));
  await issue(throttle('c-2', { generation: [0, 2], approval: { wordId: 'w', actor: 'ann', atMs: 0, digest: 'd' } }));
  const actuator = await open();
  await run(actuator);
  expect((await statuses()).map(({ commandId, status, reason }) => `${commandId} ${status} ${reason}`)).toEqual([
    'c-1 rejected not_approved',
    'c-2 applied null',
  ]);
});

test('however actuators die and the log fails, every throttle ends (60 seeds)', async () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const dice = new Prng(seed);
    nowMs = 1_000;
    log = new MemoryLog(() => nowMs);
    for (const topic of ['remediation.commands', 'remediation.outcomes', 'flyball.control']) await log.create(topic, 1);
    target = new FakeTarget();
    target.open('demo', 'web', 'v1');
    await word('resume');
    const faulty = new FaultyLog(
      log,
      () => dice.pick(['none', 'none', 'lost', 'unacked', 'late'] as const),
      () => dice.chance(0.05),
    );
    let actuators = [await open(faulty)];
    await issue(throttle('c-1'));
    for (let step = 0; step < 80; step += 1) {
      nowMs += dice.below(2_000);
      target.isAway = dice.chance(0.2);
      if (dice.chance(0.1)) actuators = [await open(faulty)];
      else if (actuators.length < 3 && dice.chance(0.1)) actuators.push(await open(faulty));
      for (const actuator of actuators) {
        await actuator.partitions[0]!.pump().catch((error: unknown) => {
          if (!(error instanceof UnavailableError)) throw error;
        });
      }
    }
    await faulty.heal();
    target.isAway = false;
    const last = await open();
    for (let step = 0; step < 12; step += 1) {
      nowMs += 20_000;
      await run(last);
    }
    const said = (await statuses()).map(({ status }) => status);
    expect(target.force('demo', 'web', 'c-1'), `seed ${seed}`).toBe(0);
    expect(target.attempts.get('c-1') ?? 0, `seed ${seed}`).toBeLessThanOrEqual(1);
    if (target.effects.length > 0) expect(said, `seed ${seed}`).toContain('reverted');
  }
});

describe('of more commands than an actuator remembers', () => {
  const MANY = 10_100;
  const told = (commandId: string) => {
    const message: Outcome = {
      ...{ type: 'outcome', commandId, target: AT, incidentId: 'i', status: 'failed', reason: 'adapter_error' },
      ...{ detail: '', run: 'before', by: 'attempt', before: '', after: '', atMs: nowMs },
    };
    return { key: targetKey(AT), headers: {}, value: outcomesCodec.encode(message) };
  };
  const tellMany = () =>
    log.append(
      { topic: 'remediation.outcomes', partition: 0 },
      Array.from({ length: MANY }, (_, nth) => told(`many-${nth}`)),
    );

  test('none that had its end long ago is told of again at a start', async () => {
    await word('resume');
    for (let nth = 0; nth < MANY; nth += 1) await issue(throttle(`many-${nth}`, { expiresAtMs: 500 }));
    await tellMany();
    await run(await open());
    expect(await statuses()).toHaveLength(MANY);
    await issue(throttle('c-1', { generation: [0, 2] }));
    await run(await open());
    expect((await statuses()).slice(MANY)).toMatchObject([{ commandId: 'c-1', status: 'applied' }]);
  });

  test.each(['the one who set it', 'whoever comes after'])('what is in force is still undone by %s', async (who) => {
    const actuator = await acted(throttle('c-1', { release: 'step' }));
    await tellMany();
    await run(actuator);
    nowMs += TTL_MS + CONFIG.claimGraceMs;
    await run(who === 'whoever comes after' ? await open() : actuator);
    expect((await statuses()).at(-1)).toMatchObject({ commandId: 'c-1', status: 'reverted' });
  });
});
