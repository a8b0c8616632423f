import { type Approval, type Decision, targetKey } from '@flyball/contracts';
import { describe, expect, test } from 'vitest';
import {
  binding,
  type Heard,
  instanceOf,
  instant,
  Listener,
  outcome,
  policy,
  POLICY,
  READY,
  resume,
  signalled,
  type State,
  WINDOW_MS,
  word,
} from './fleet.ts';

// Goal: an overloaded service is throttled for a time and watched until it stands by itself; nothing that needs a person
// happens without that person's yes to exactly what was shown; whoever said "not now" is heard. Method: a planner hears a
// fleet and words that the test makes up, with a restart after each step.

const SINCE_MS = 20_000;
const THROTTLE = `kind: RemediationPolicy
metadata: { name: throttle-overload, version: 1 }
spec:
  autonomy: auto
  scope: { environments: [demo*], services: ['*'] }
  match: { slis: [errors, latency], cause: service }
  conditions:
    - { name: overloaded, expression: service.requestRatio >= 1.5, message: 'requests x{service.requestRatio}' }
  action: { type: throttle, limit: { kind: ratio, value: 0.4 }, ttlSeconds: 10 }
  ttlSeconds: 60
  limits: { cooldownSeconds: 60, maxPerHour: 3, maxTrafficRatio: 0.8, freshnessSeconds: 10 }
  verify: { stabilizeSeconds: 2, windowSeconds: 30 }
`;
const ISOLATE = THROTTLE.replace('throttle-overload', 'isolate-instance')
  .replace('cause: service', 'cause: instance')
  .replace(/action:.*/, 'action: { type: isolate, ttlSeconds: 600 }')
  .replace('service.requestRatio >= 1.5', 'cause.log10E >= 2.0');
const OVERLOADED = { web: { failsSinceMs: SINCE_MS, requests: 300 } };
const FAILS = { checkout: { canary: 'fail', failsSinceMs: SINCE_MS } } as const;

/** A planner that is restarted whenever it has heard something. */
class Shaken extends Listener {
  override hear(...entries: readonly Heard[]): this {
    super.hear(...entries);
    this.restart();
    return this;
  }
}
const quiet = (fromMs: number, untilMs: number, states: Readonly<Record<string, State>> = {}) =>
  Array.from({ length: (untilMs - fromMs) / WINDOW_MS + 1 }, (_, index) => instant(fromMs + index * WINDOW_MS, states));
const ready = (...texts: readonly string[]) => [
  resume(1_000),
  ...texts.map((text) => policy(1_000, text)),
  ...['web', 'checkout'].map((service) => binding(1_000, service)),
];
const verdicts = (planner: Listener) => planner.incident?.decisions.map(({ verdict }) => verdict);

test.each(['auto', 'approve'])(
  'an incident whose action was proven to help is open until all of it is well; nothing more is done or asked (%s)',
  (autonomy) => {
    const asks = THROTTLE.replace('autonomy: auto', `autonomy: ${autonomy}`);
    const strong = { ...signalled('web', 22_000, 21_000), score: 0.95 };
    const planner = new Shaken().hear(...ready(POLICY, asks)).live(...quiet(2_000, SINCE_MS));
    planner.live(instant(22_000, { ...FAILS, ...OVERLOADED }, [signalled('checkout', 22_000, SINCE_MS, 'v2'), strong]));
    expect(planner.commands).toMatchObject([{ action: { type: 'rollback' } }]);
    planner.hear(outcome(23_500, planner.commands[0]!, 'applied')).live(...quiet(24_000, 44_000, OVERLOADED));
    expect(planner.judgements).toMatchObject([{ status: 'verified' }]);
    expect(planner.incident).toMatchObject({ status: 'mitigating', resolution: null, closedAtMs: null });
    planner.live(...quiet(46_000, 60_000));
    expect(planner.incident).toMatchObject({ status: 'closed', resolution: 'verified', closedAtMs: 50_000 });
    expect(planner.commands).toHaveLength(1);
    expect(verdicts(planner)).toEqual(['acted']);
  },
);

describe('an overloaded service', () => {
  const overloaded = (...texts: readonly string[]) =>
    new Shaken()
      .hear(...ready(...texts))
      .live(...quiet(2_000, SINCE_MS))
      .live(instant(22_000, OVERLOADED, [signalled('web', 22_000, SINCE_MS)]));

  test('is throttled for a time, and its incident ends only when it stands without the throttle', () => {
    const planner = overloaded(THROTTLE, POLICY);
    const [command] = planner.commands;
    expect(planner.commands).toHaveLength(1);
    expect(command).toMatchObject({
      action: { type: 'throttle', limit: { kind: 'ratio', value: 0.4 } },
      ...{ ttlMs: 10_000, inverse: { type: 'unthrottle' }, release: 'ramp', approval: null },
    });
    expect(targetKey(command!.target)).toBe('default/demo/fake/web');
    planner.hear(outcome(24_000, command!, 'applied')).live(...quiet(26_000, 40_000));
    expect(planner.judgements).toMatchObject([
      { status: 'verified', sentence: expect.stringContaining('the throttle helped') },
    ]);
    expect(planner.incident).toMatchObject({ status: 'mitigating' });
    planner.hear(outcome(41_000, command!, 'reverted')).live(...quiet(42_000, 44_000));
    expect(planner.incident).toMatchObject({ status: 'mitigating' });
    planner.live(instant(46_000));
    expect(planner.incident).toMatchObject({ status: 'closed', resolution: 'verified' });
    expect(planner.incident!.timeline.map(({ kind }) => kind)).toEqual([
      'signal',
      'cause',
      'decision',
      'command',
      'outcome',
      'judgement',
      'outcome',
      'closed',
    ]);
  });

  test('that fails again without the throttle is not throttled again and again', () => {
    const planner = overloaded(THROTTLE);
    planner.hear(outcome(24_000, planner.commands[0]!, 'applied')).live(...quiet(26_000, 40_000));
    planner.hear(outcome(41_000, planner.commands[0]!, 'reverted'));
    const again = { web: { failsSinceMs: 41_000, requests: 300 } };
    planner.live(...quiet(42_000, 60_000, again));
    expect(planner.commands).toHaveLength(1);
    expect(planner.refusals).toContain('cooldown');
  });

  test('is left alone when it only fails, without more requests than usual', () => {
    const failing = { web: { failsSinceMs: SINCE_MS } };
    const planner = new Shaken().hear(...ready(THROTTLE)).live(...quiet(2_000, SINCE_MS));
    planner.live(instant(22_000, failing, [signalled('web', 22_000, SINCE_MS)]));
    expect(planner.commands).toEqual([]);
    expect(planner.refusals).toEqual(['policy_condition']);
  });
});

describe('an instance', () => {
  const withInstances = (...failing: readonly string[]) => ({
    web: {
      failsSinceMs: SINCE_MS,
      instances: ['a', 'b', 'c', 'd'].map((name) =>
        instanceOf(name, failing.includes(name) ? 'fail' : 'pass', SINCE_MS),
      ),
    },
  });
  const played = (states: Readonly<Record<string, State>>) =>
    new Shaken()
      .hear(...ready(ISOLATE, THROTTLE))
      .live(...quiet(2_000, SINCE_MS))
      .live(instant(22_000, states, [signalled('web', 22_000, SINCE_MS)]));

  test('that fails alone is taken out, and verified only when it gets nothing any more', () => {
    const planner = played(withInstances('c'));
    expect(planner.commands).toMatchObject([
      { action: { type: 'isolate', instance: 'c' }, ttlMs: 600_000, inverse: { type: 'readmit', instance: 'c' } },
    ]);
    const still = { web: { instances: [instanceOf('c', 'pass', 0)] } };
    planner.hear(outcome(24_000, planner.commands[0]!, 'applied')).live(...quiet(26_000, 34_000, still));
    expect(planner.judgements).toEqual([]);
    planner.live(...quiet(36_000, 40_000));
    expect(planner.judgements).toMatchObject([{ status: 'verified' }]);
  });

  test('that fails beside another is not the trouble', () => {
    expect(played(withInstances('b', 'c')).commands).toEqual([]);
  });
});

describe('an approval', () => {
  const APPROVE = POLICY.replace('autonomy: auto', 'autonomy: approve').replace(
    /$/,
    '  approval: { expiresSeconds: 30 }\n',
  );
  const asked = (text = APPROVE, more: readonly Heard[] = []) =>
    new Shaken()
      .hear(...ready(text), ...more)
      .live(...quiet(2_000, SINCE_MS))
      .live(instant(22_000, FAILS, [signalled('checkout', 22_000, SINCE_MS, 'v2')]));
  const questionOf = (planner: Listener): Approval => {
    const decision = planner.incident!.decisions.findLast((each: Decision) => each.approval !== null);
    return decision!.approval!;
  };
  const answer = (atMs: number, type: 'approve' | 'deny', { commandId, digest }: Approval, reason = ''): Heard =>
    word(atMs, { type, wordId: `a${atMs}`, actor: 'ann', tenant: 'default', commandId, digest, reason });

  test('is asked for once, with what speaks for it; a yes issues what was shown', () => {
    const planner = asked().live(...quiet(24_000, 26_000, FAILS));
    expect(planner.commands).toEqual([]);
    expect(verdicts(planner)).toEqual(['pending']);
    const question = questionOf(planner);
    expect(question).toMatchObject({
      ...{ status: 'pending', service: 'checkout', requestedAtMs: 23_000, expiresAtMs: 53_000 },
      blast: { trafficRatio: 0.2, services: ['checkout'] },
    });
    expect(question.evidence[0]).toContain('checkout v2 errors 30 %');
    planner.hear(answer(27_500, 'approve', question, 'looks right'));
    expect(planner.commands).toMatchObject([
      { commandId: question.commandId, approval: { actor: 'ann', wordId: 'a27500', digest: question.digest } },
    ]);
    expect(verdicts(planner)).toEqual(['approved', 'acted']);
    expect(planner.incident!.timeline.map(({ text }) => text)).toContain(
      `${question.commandId} approved by ann: looks right`,
    );
  });

  test.each<[string, (question: Approval) => Heard[], string]>([
    ['a no', (of) => [answer(24_500, 'deny', of)], 'denied'],
    ['a no and then a yes', (of) => [answer(24_500, 'deny', of), answer(24_600, 'approve', of)], 'denied'],
    ['a yes to another order', (of) => [answer(24_500, 'approve', { ...of, digest: 'f'.repeat(64) })], 'pending'],
    ['a yes to another command', (of) => [answer(24_500, 'approve', { ...of, commandId: 'c-other' })], 'pending'],
  ])('that gets %s issues nothing', (_what, answers, status) => {
    const planner = asked();
    planner.hear(...answers(questionOf(planner))).live(...quiet(26_000, 30_000, FAILS));
    expect(planner.commands).toEqual([]);
    expect(questionOf(planner).status).toBe(status);
  });

  test('that nobody gives in time is a no, also to a yes that comes a moment too late', () => {
    const planner = asked();
    const question = questionOf(planner);
    planner.hear(answer(53_000, 'approve', question)).live(...quiet(54_000, 56_000, FAILS));
    expect(planner.commands).toEqual([]);
    expect(questionOf(planner).status).toBe('expired');
    expect(planner.refusals).toEqual(['approval']);
    const told = planner.incident!.timeline.filter(({ kind }) => kind === 'approval').map(({ text }) => text);
    expect(told).toEqual([expect.stringContaining('too late'), expect.stringContaining('nobody has answered in time')]);
  });

  test('that a freeze holds back until it has expired issues nothing after the freeze', () => {
    const about = { wordId: 'w', actor: 'bob', tenant: 'default', environment: 'demo', reason: 'launch' };
    const freezeUntil = (untilMs: number) =>
      asked(APPROVE).hear(word(23_500, { type: 'freeze', ...about, freezeId: 'f-1', fromMs: 0, untilMs }));
    const held = freezeUntil(60_000);
    held.hear(answer(24_500, 'approve', questionOf(held))).live(...quiet(26_000, 66_000, FAILS));
    expect(held.commands).toEqual([]);
    expect(questionOf(held)).toMatchObject({ status: 'expired', actor: 'ann' });
    expect(held.incident!.timeline.map(({ text }) => text)).toContain(
      `${questionOf(held).commandId} expired: ann approved it, and it was held back until now`,
    );
    const inTime = freezeUntil(40_000);
    inTime.hear(answer(24_500, 'approve', questionOf(inTime))).live(...quiet(26_000, 66_000, FAILS));
    expect(inTime.commands).toHaveLength(1);
    expect(questionOf(inTime).status).toBe('approved');
  });

  test('given to evidence that has grown old issues nothing', () => {
    const planner = asked();
    planner.hear(answer(40_000, 'approve', questionOf(planner)));
    expect(planner.commands).toEqual([]);
    expect(planner.refusals).toEqual(['stale_telemetry']);
  });

  test('is not needed any more when all is well again', () => {
    const planner = asked().live(...quiet(24_000, 30_000));
    expect(planner.incident).toMatchObject({ status: 'closed', resolution: 'recovered' });
    expect(questionOf(planner).status).toBe('expired');
  });

  test('is needed where nothing fences the target, whatever the policy says', () => {
    for (const how of [{ fencing: 'none' } as const, { driver: 'webhook:deployer' }]) {
      const planner = asked(POLICY, [binding(1_500, 'checkout', 'default', how)]);
      expect(planner.commands).toEqual([]);
      expect(verdicts(planner)).toEqual(['pending']);
    }
  });

  test('is not needed of a webhook that is said to fence', () => {
    const how = { driver: 'webhook:deployer', fencing: 'generation' } as const;
    expect(asked(POLICY, [binding(1_500, 'checkout', 'default', how)]).commands).toHaveLength(1);
  });
});

describe('whoever says "not now"', () => {
  const about = { wordId: 'w', actor: 'ann', tenant: 'default', environment: 'demo', reason: 'maintenance' };
  const silence = word(1_500, { type: 'silence', ...about, silenceId: 's-1', service: 'check*', untilMs: 25_000 });
  const freeze = word(1_500, { type: 'freeze', ...about, freezeId: 'f-1', fromMs: 0, untilMs: 25_000 });
  const played = (...words: readonly Heard[]) =>
    new Shaken()
      .hear(...READY, ...words)
      .live(...quiet(2_000, SINCE_MS))
      .live(instant(22_000, FAILS, [signalled('checkout', 22_000, SINCE_MS, 'v2')]));

  test('by a silence stops actions and is shown, and all is recorded; until it ends', () => {
    const planner = played(silence);
    expect(planner.commands).toEqual([]);
    expect(planner.refusals).toEqual(['silenced']);
    expect(planner.incident).toMatchObject({ silencedUntilMs: 25_000, signals: [{}] });
    planner.live(instant(24_000, FAILS));
    expect(planner.commands).toHaveLength(1);
    expect(planner.incident!.silencedUntilMs).toBeNull();
  });

  test('by a silence may take it back', () => {
    const planner = played(silence, word(1_600, { type: 'unsilence', ...about, silenceId: 's-1' }));
    expect(planner.commands).toHaveLength(1);
  });

  test('by a silence of what is open already is told by a revision, and so is its end: who tells people goes by these', () => {
    const held = word(1_500, { type: 'freeze', ...about, freezeId: 'f-1', fromMs: 0, untilMs: 99_000 });
    const planner = played(held);
    const revisions = planner.incidents.length;
    planner.hear(word(22_500, { type: 'silence', ...about, silenceId: 's-1', service: 'checkout', untilMs: 99_000 }));
    planner.live(instant(24_000, FAILS));
    expect(planner.incident).toMatchObject({ silencedUntilMs: 99_000 });
    planner.hear(word(24_500, { type: 'unsilence', ...about, silenceId: 's-1' }));
    planner.live(instant(26_000, FAILS));
    expect(planner.incident).toMatchObject({ silencedUntilMs: null });
    planner.live(instant(28_000, FAILS));
    expect(planner.incidents.length).toBe(revisions + 2);
  });

  test('by a freeze stops actions until it ends, or is taken back', () => {
    const planner = played(freeze);
    expect(planner.refusals).toEqual(['freeze']);
    planner.live(instant(24_000, FAILS));
    expect(planner.commands).toHaveLength(1);
    expect(played(freeze, word(1_600, { type: 'unfreeze', ...about, freezeId: 'f-1' })).commands).toHaveLength(1);
  });
});
