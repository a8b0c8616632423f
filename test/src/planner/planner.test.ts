import type { ControlMessage } from '@flyball/contracts';
import { Prng, textOf } from '@flyball/core';
import { CommandRelay, ControlRelay, OutcomeRelay, type RelayOut } from '@flyball/planner';
import type { Outbox } from '@flyball/runtime';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assessed,
  binding,
  closed,
  type Heard,
  instant,
  LANES,
  Listener,
  ofTenant,
  outcome,
  pause,
  policy,
  POLICY,
  READY,
  resume,
  signalled,
  type State,
  WINDOW_MS,
} from './fleet.ts';

// Goal: an operator finds the same incident and the same order whatever ran first and whoever was restarted; and an
// order is given, judged and ended only by what was really seen. Method: a planner hears a fleet that the test makes up,
// in many orders and with restarts, beside one that hears it calmly; judgements are compared with an oracle.

const CAME_MS = 20_000;
const FAILS = { checkout: { canary: 'fail', failsSinceMs: CAME_MS } } as const;
const SIGNAL = (endMs: number) => signalled('checkout', endMs, CAME_MS, 'v2');
const quiet = (fromMs: number, untilMs: number, states: Readonly<Record<string, State>> = {}) =>
  Array.from({ length: (untilMs - fromMs) / WINDOW_MS + 1 }, (_, index) => instant(fromMs + index * WINDOW_MS, states));

/** A planner that was ready, saw health, and then a release that fails. */
function alarmed(ready = READY, config = {}): Listener {
  const planner = new Listener(config).hear(...ready).live(...quiet(2_000, CAME_MS));
  return planner.live(instant(22_000, FAILS, [SIGNAL(22_000)]));
}

/** A story in which a victim is seen to fail before its cause, in another lane; then it is repaired. */
function story(): Heard[][][] {
  const victim = { web: { failsSinceMs: 22_000 } };
  return [
    ...quiet(2_000, CAME_MS),
    instant(22_000, { ...victim, ...FAILS }, [SIGNAL(22_000), signalled('web', 22_000, 22_000)]),
    instant(24_000, { ...victim, ...FAILS }),
    ...quiet(26_000, 44_000),
  ];
}

/** The same in another order. */
function shuffled<T>(dice: Prng, list: readonly T[]): T[] {
  return list
    .map((item) => [dice.unit(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** What was decided, without the places and times at which it was. */
const essence = ({ commands, judgements, incidents }: Listener) => ({
  commands: commands.map(({ commandId, action, incidentId }) => ({ commandId, action, incidentId })),
  judgements: judgements.map(({ commandId, status, sentence }) => ({ commandId, status, sentence })),
  incidents: incidents.map(({ incidentId, status, resolution, title, causes, signals, decisions }) => {
    return {
      incidentId,
      status,
      resolution,
      title,
      causes,
      signals,
      decisions: decisions.map(({ verdict }) => verdict),
    };
  }),
});

describe('however lanes run', () => {
  test('a victim does not overtake its cause, and the same is decided', () => {
    const calm = new Listener().hear(...READY);
    for (const each of story()) {
      calm.live(each);
      if (calm.commands.length === 1 && calm.incidents.length === 1)
        calm.hear(outcome(25_500, calm.commands[0]!, 'applied'));
    }
    expect(essence(calm)).toMatchObject({
      commands: [{ action: { type: 'rollback', fromVersion: 'v2', toVersion: 'v1' } }],
      judgements: [{ status: 'verified' }],
    });
    expect(calm.incident).toMatchObject({ status: 'closed', resolution: 'verified' });
    for (let seed = 1; seed <= 60; seed += 1) {
      const dice = new Prng(seed);
      const rough = new Listener().hear(...READY);
      const queues = LANES.map((_, lane) =>
        story().map((each) => shuffled(dice, each[lane]!.slice(0, -1)).concat(each[lane]!.slice(-1))),
      );
      let isReported = false;
      while (queues.some((queue) => queue.length > 0)) {
        const queue = dice.pick(queues.filter((each) => each.length > 0));
        // One lane may run ahead, but not for so long that what it said is stale.
        if (queue.length + 2 < Math.max(...queues.map((each) => each.length))) continue;
        rough.hear(...queue.shift()!);
        if (!isReported && rough.commands.length === 1) rough.hear(outcome(25_500, rough.commands[0]!, 'applied'));
        isReported ||= rough.commands.length === 1;
      }
      expect(essence(rough), `seed ${seed}`).toEqual(essence(calm));
    }
  });

  test('nothing is concluded while one lane has not passed the instant', () => {
    const planner = new Listener().hear(...READY).live(...quiet(2_000, CAME_MS));
    const [first, second] = instant(22_000, FAILS, [SIGNAL(22_000)]);
    planner.hear(...second!, ...instant(24_000, FAILS)[1]!);
    expect(planner.incidents).toEqual([]);
    planner.hear(...first!);
    expect(planner.commands).toHaveLength(1);
  });

  test('a lane that was never heard is waited for, and one that passes much at once takes nobody along', () => {
    const trouble = { web: { failsSinceMs: 2_000 } };
    const [web] = instant(4_000, trouble, [signalled('web', 4_000, 2_000)]);
    expect(new Listener().hear(...web!).incidents).toEqual([]);
    const planner = new Listener().live(...quiet(2_000, CAME_MS)).hear(...instant(22_000)[0]!);
    const said = [22_000, 24_000].flatMap((endMs) => instant(endMs, FAILS, [SIGNAL(endMs)])[1]!.slice(0, -1));
    planner.hear(...said, { atMs: 25_000, body: closed(1, 24_000) });
    expect(planner.incident!.signals.map(({ endMs }) => endMs)).toEqual([22_000]);
  });

  test('instants are taken in order, also where many are passed at once', () => {
    const planner = new Listener().live(...quiet(2_000, CAME_MS));
    const early = signalled('web', 22_000, CAME_MS);
    planner.hear({ atMs: 25_000, body: SIGNAL(24_000) }, { atMs: 25_000, body: early });
    planner.hear(...LANES.map((_, lane) => ({ atMs: 25_000, body: closed(lane, 24_000) })));
    expect(planner.incident).toMatchObject({ openedAtMs: 22_000, signals: [{ endMs: 22_000 }, { endMs: 24_000 }] });
  });
});

test('a restart cannot be noticed', () => {
  const step = fc.record({
    canary: fc.constantFrom<State['canary'][]>(undefined, 'fail', 'fail', 'pass', 'insufficient'),
    victim: fc.boolean(),
    silent: fc.constantFrom(0, 0, 0, 6),
    coverage: fc.constantFrom(1, 1, 1, 0.5),
    said: fc.constantFrom<('applied' | 'failed' | 'pause' | 'resume')[]>(
      'applied',
      'applied',
      'failed',
      'pause',
      'resume',
    ),
    speaks: fc.boolean(),
    restarts: fc.boolean(),
    cut: fc.nat(12),
  });
  const property = fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
    const text = POLICY.replace('cooldownSeconds: 600', 'cooldownSeconds: 6');
    const planners = [new Listener(), new Listener()].map((each) =>
      each.hear(resume(1_000), policy(1_000, text), binding(1_000, 'checkout')),
    );
    const [whole, broken] = planners as [Listener, Listener];
    steps.forEach(({ canary, victim, silent, coverage, said, speaks, restarts, cut }, index) => {
      const endMs = CAME_MS + (index + 1) * WINDOW_MS;
      const names = LANES.flat().slice(0, silent);
      const states: Record<string, State> = Object.fromEntries(names.map((name) => [name, { isSilent: true }]));
      if (silent === 0) states['checkout'] = { coverage, ...(canary && { canary }) };
      if (victim && silent === 0) states['web'] = { failsSinceMs: endMs - WINDOW_MS };
      const entries = instant(endMs, states, canary === 'fail' ? [SIGNAL(endMs)] : []).flat();
      const command = whole.commands.at(-1);
      if (speaks && (said === 'pause' || said === 'resume')) entries.push((said === 'pause' ? pause : resume)(endMs));
      else if (speaks && command !== undefined) entries.push(outcome(endMs + 1_500, command, said as 'applied'));
      for (const [place, entry] of entries.entries()) {
        for (const each of planners) each.hear(entry);
        if (restarts && place === cut) broken.restart();
      }
      if (restarts) expect(textOf(broken.restart())).toBe(textOf(whole.restart()));
    });
    expect(broken.commands).toEqual(whole.commands);
    expect(broken.judgements).toEqual(whole.judgements);
    expect(broken.incidents).toEqual(whole.incidents);
  });
  fc.assert(property, { numRuns: 150 });
});

describe('an order', () => {
  test('is given once, is a lease no longer than its policy says, and nothing else is considered meanwhile', () => {
    const planner = alarmed([
      resume(1_000),
      policy(1_000, POLICY.replace('ttlSeconds: 3600', 'ttlSeconds: 5')),
      binding(1_000, 'checkout'),
    ]);
    expect(planner.commands).toMatchObject([{ issuedAtMs: 23_000, expiresAtMs: 28_000 }]);
    planner.live(...[24_000, 26_000].map((endMs) => instant(endMs, FAILS, [SIGNAL(endMs)])));
    expect(planner.commands).toHaveLength(1);
    expect(planner.incident).toMatchObject({ status: 'mitigating', decisions: [{ verdict: 'acted' }] });
    expect(alarmed().commands).toMatchObject([{ expiresAtMs: 83_000 }]); // The planner's own limit is lower.
  });

  test('is newer than the one before it', () => {
    const text = POLICY.replace('cooldownSeconds: 600', 'cooldownSeconds: 0');
    const planner = alarmed([resume(1_000), policy(1_000, text), binding(1_000, 'checkout')]);
    planner.hear(outcome(23_500, planner.commands[0]!, 'expired'));
    const again = signalled('checkout', 24_000, 22_500, 'v2');
    const fails = { canary: 'fail', failsSinceMs: 22_500 } as const;
    const [web, own] = instant(24_000, { checkout: fails }, [again]);
    own![0] = { ...own![0]!, body: assessed('checkout', 24_000, fails, 22_500) };
    planner.live([web!, own!]);
    const [first, second] = planner.commands;
    expect(second!.commandId).not.toBe(first!.commandId);
    expect(second!.generation[1]).toBeGreaterThan(first!.generation[1]);
  });

  test.each([
    ['before it was known that nobody knows what became of it', true, false],
    ['after that', false, true],
  ])('is followed by another on its target when a person said "resume" %s: %s, %s', (_when, isBefore, isFollowed) => {
    const text = POLICY.replace('cooldownSeconds: 600', 'cooldownSeconds: 0');
    const planner = alarmed([resume(1_000), policy(1_000, text), binding(1_000, 'checkout')]);
    const unknown = outcome(23_500, planner.commands[0]!, 'unknown');
    planner.hear(...(isBefore ? [resume(23_200), unknown] : [unknown, resume(23_700)]));
    planner.restart();
    const fails = { canary: 'fail', failsSinceMs: 22_500 } as const;
    const [web, own] = instant(24_000, { checkout: fails }, [signalled('checkout', 24_000, 22_500, 'v2')]);
    own![0] = { ...own![0]!, body: assessed('checkout', 24_000, fails, 22_500) };
    planner.live([web!, own!]);
    expect(planner.commands).toHaveLength(isFollowed ? 2 : 1);
    if (!isFollowed) expect(planner.refusals).toEqual(['ineffective_chain']);
  });

  test('is given also in an incident of which very much was declined before', () => {
    const planner = alarmed([pause(1_000), ...READY.slice(1)]);
    const fault = (endMs: number): Heard[][] => {
      const sinceMs = endMs - 1_500;
      const fails = { canary: 'fail', failsSinceMs: sinceMs } as const;
      const said = instant(endMs, { checkout: fails }, [SIGNAL(endMs)]);
      said[1]![0] = { ...said[1]![0]!, body: assessed('checkout', endMs, fails, sinceMs) };
      return said;
    };
    for (let nth = 0; nth < 40; nth += 1) planner.live(fault(24_000 + nth * WINDOW_MS));
    expect(planner.commands).toEqual([]);
    planner.hear(resume(104_000)).live(fault(104_000));
    expect(planner.commands).toHaveLength(1);
    expect(planner.incident!.decisions.at(-1)).toMatchObject({ verdict: 'acted' });
  });

  test('is moved forward only: what is said of it later undoes nothing', () => {
    const planner = alarmed();
    const [command] = planner.commands;
    planner.hear(outcome(23_500, command!, 'applied'), outcome(23_600, command!, 'unknown'));
    planner.live(...quiet(24_000, 34_000));
    expect(planner.judgements).toMatchObject([{ status: 'verified' }]);
    expect(planner.incident!.timeline.filter(({ kind }) => kind === 'outcome')).toHaveLength(1);
  });

  test('is judged by what was seen after it had settled, and by nothing else', () => {
    const kinds = ['well', 'fails', 'worse', 'unseen', 'still there'] as const;
    const states: Record<(typeof kinds)[number], State> = {
      well: {},
      fails: { failsSinceMs: CAME_MS, errorRatio: 0.2 },
      worse: { failsSinceMs: CAME_MS, errorRatio: 0.26 },
      unseen: { coverage: 0.75 },
      'still there': { canary: 'insufficient' },
    };
    const property = fc.property(fc.array(fc.constantFrom(...kinds), { maxLength: 25 }), (seen) => {
      const planner = alarmed();
      const appliedAtMs = 23_500;
      planner.hear(outcome(appliedAtMs, planner.commands[0]!, 'applied'));
      let [run, expected] = [0, ''];
      seen.forEach((kind, index) => {
        const endMs = 24_000 + index * WINDOW_MS;
        planner.live(instant(endMs, { checkout: states[kind] }));
        if (expected !== '' || kind === 'unseen' || endMs - WINDOW_MS < appliedAtMs + 2_000) return;
        run = kind === 'well' ? run + 1 : 0;
        const isBad = kind === 'fails' || kind === 'worse';
        if (run === 3) expected = `verified ${endMs}`;
        else if (kind === 'worse') expected = `harmful ${endMs}`;
        else if (isBad && endMs - appliedAtMs > 32_000) expected = `ineffective ${endMs}`;
      });
      expect(planner.judgements.map(({ status, atMs }) => `${status} ${atMs}`).join()).toBe(expected);
    });
    fc.assert(property, { numRuns: 200, examples: [[Array.from({ length: 20 }, () => 'fails' as const)]] });
  });
});

describe('automation', () => {
  test.each<[string, readonly Heard[], readonly string[]]>([
    ['that nobody has switched on', [policy(1_000), binding(1_000, 'checkout')], ['kill_switch']],
    ['that was paused', [...READY, pause(1_500)], ['kill_switch']],
    ['without a binding', [resume(1_000), policy(1_000)], ['no_target']],
  ])('%s says what it would have done, and does nothing', (_name, ready, refusals) => {
    const planner = alarmed(ready);
    expect(planner.commands).toEqual([]);
    expect(planner.refusals).toEqual(refusals);
  });

  test('of one tenant is not moved by the words of another', () => {
    expect(alarmed([...READY, pause(1_500, 'other')]).commands).toHaveLength(1);
    expect(alarmed([pause(1_500), resume(1_600, 'other'), ...READY.slice(1)]).commands).toEqual([]);
    const stranger = alarmed([resume(1_000), policy(1_000, POLICY, 'other'), binding(1_000, 'checkout')]);
    expect(stranger.incident!.decisions).toEqual([]);
  });

  test.each(['constructor', '__proto__', 'toString'])(
    'of tenant %s is paused without a word, as anybody’s',
    (tenant) => {
      const planner = new Listener().hear(policy(1_000, POLICY, tenant), binding(1_000, 'checkout', tenant));
      const said = [
        ofTenant(tenant, assessed('checkout', 22_000, FAILS.checkout, CAME_MS)),
        ofTenant(tenant, SIGNAL(22_000)),
        ...LANES.map((_, lane) => closed(lane, 22_000)),
      ];
      planner.hear(...said.map((body) => ({ atMs: 23_000, body })));
      planner.restart();
      expect(planner.refusals).toEqual(['kill_switch']);
    },
  );

  test('without a policy for what fails considers nothing', () => {
    const latencyOnly = policy(1_000, POLICY.replace('[errors, latency]', '[latency]'));
    expect(alarmed([resume(1_000), latencyOnly, binding(1_000, 'checkout')]).incident!.decisions).toEqual([]);
  });

  test('knows how old its evidence is, though the lane that brings it is behind', () => {
    const planner = new Listener().hear(...READY).live(...quiet(2_000, CAME_MS));
    planner.hear(resume(40_000)).live(instant(22_000, FAILS, [SIGNAL(22_000)]));
    expect(planner.refusals).toEqual(['stale_telemetry']);
  });

  test('concludes nothing from what was said before an entry that is lost', () => {
    const planner = new Listener().hear(...READY).live(...quiet(2_000, CAME_MS));
    const [first, second] = instant(22_000, FAILS, [SIGNAL(22_000)]);
    planner.hear(...first!, ...second!.slice(0, -1));
    planner.skip();
    planner.hear(second!.at(-1)!);
    expect(planner.incidents).toEqual([]);
  });
});

test('every fact is audited once, and reaches the planner lanes that must know it', () => {
  const told: string[] = [];
  const outbox: Outbox<RelayOut> = {
    emit: (topic, key, body) => {
      const { fact } = body as { fact: { type: string } };
      told.push(`${topic} ${key} ${fact.type}`);
    },
    broadcast: (topic, body) => told.push(`${topic} * ${(body as { fact: { type: string } }).fact.type}`),
    reject: () => undefined,
  };
  const about = { offset: 0, epoch: 0, atMs: 0, key: '', provenance: undefined };
  const words = [pause(1), resume(1), policy(1), binding(1, 'checkout')].map(
    ({ body }) => (body as { fact: ControlMessage }).fact,
  );
  for (const body of words) new ControlRelay('flyball.control/0').process({ ...about, body }, outbox);
  const [command] = alarmed().commands;
  new CommandRelay('remediation.commands/0').process({ ...about, body: command! }, outbox);
  const { target, commandId, incidentId } = command!;
  const claim = { type: 'claim' as const, commandId, target, incidentId, run: 'r', claimedAtMs: 0 };
  const judgement = {
    type: 'judgement' as const,
    commandId,
    target,
    incidentId,
    status: 'verified' as const,
    sentence: '',
    atMs: 0,
  };
  for (const body of [claim, judgement]) new OutcomeRelay('remediation.outcomes/0').process({ ...about, body }, outbox);
  const facts = ['pause', 'resume', 'policy', 'binding', 'command', 'claim', 'judgement'];
  expect(told.filter((line) => line.startsWith('flyball.trail'))).toEqual(
    facts.map((fact) => `flyball.trail default ${fact}`),
  );
  expect(told.filter((line) => line.startsWith('flyball.signals'))).toEqual([
    ...['pause', 'resume', 'policy'].map((fact) => `flyball.signals * ${fact}`),
    ...['binding', 'claim'].map((fact) => `flyball.signals default/demo ${fact}`),
  ]);
});
