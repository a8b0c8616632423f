import type { Signal } from '@flyball/contracts';
import { textOf } from '@flyball/core';
import { describe, expect, test } from 'vitest';
import {
  assessed,
  deploy,
  instant,
  LANES,
  Listener,
  ofTenant,
  READY,
  signalled,
  type State,
  WINDOW_MS,
} from './fleet.ts';

// Goal: an operator reads of one trouble once, with its true cause first, and it is not called over because nobody
// could see it. Method: a planner hears a fleet that the test makes up, instant by instant.

const BEGAN_MS = 20_000;
const quiet = (fromMs: number, untilMs: number, states: Readonly<Record<string, State>> = {}) =>
  Array.from({ length: (untilMs - fromMs) / WINDOW_MS + 1 }, (_, index) => instant(fromMs + index * WINDOW_MS, states));
const troubled = () =>
  new Listener()
    .live(...quiet(2_000, BEGAN_MS))
    .live(instant(22_000, { web: { failsSinceMs: BEGAN_MS } }, [signalled('web', 22_000, BEGAN_MS)]));
const silent = (...names: string[]) => Object.fromEntries(names.map((name) => [name, { isSilent: true }]));

describe('an incident', () => {
  test('has a name of its own, also when the same trouble comes back', () => {
    const planner = new Listener().live(...quiet(2_000, BEGAN_MS));
    const trouble = instant(22_000, { web: { failsSinceMs: BEGAN_MS } }, [signalled('web', 22_000, BEGAN_MS)]);
    planner.live(trouble, ...quiet(24_000, 34_000));
    expect(planner.incident).toMatchObject({ status: 'closed', resolution: 'recovered' });
    planner.live(instant(36_000, { web: { failsSinceMs: BEGAN_MS } }, [signalled('web', 36_000, BEGAN_MS)]));
    const starts = planner.incidents.filter(({ revision }) => revision === 1);
    expect(starts.map(({ startedAtMs }) => startedAtMs)).toEqual([BEGAN_MS, BEGAN_MS]);
    expect(new Set(starts.map(({ incidentId }) => incidentId)).size).toBe(2);
  });

  test('of a blackout is opened by services that fall silent together, not by those that leave one by one', () => {
    const names = LANES.flat();
    const leaving = (everyMs: number) => {
      const planner = new Listener().live(...quiet(2_000, BEGAN_MS));
      for (let endMs = 22_000; endMs <= 22_000 + 6 * everyMs; endMs += WINDOW_MS) {
        const gone = names.slice(0, Math.floor((endMs - BEGAN_MS) / everyMs));
        planner.live(instant(endMs, Object.fromEntries(gone.map((name) => [name, { isSilent: true }]))));
      }
      return planner;
    };
    expect(leaving(WINDOW_MS).incident).toMatchObject({ title: expect.stringContaining('blackout') });
    const back = leaving(WINDOW_MS);
    expect(back.incident!.blindSinceMs).toBeGreaterThan(0);
    expect(back.live(...quiet(40_000, 44_000)).incident!.blindSinceMs).toBeNull();
    expect(leaving(40_000).incidents).toEqual([]);
  });

  test.each<[string, Readonly<Record<string, State>>]>([
    ['of which no window was seen whole', { web: { coverage: 0.75 } }],
    ['that is silent', silent('web')],
    ['while most others fell silent together', silent('cart', 'search', 'checkout', 'payment', 'stock')],
  ])('is not over for a service %s, and is when it was seen to be well', (_name, states) => {
    const planner = troubled().live(...quiet(24_000, 44_000, states));
    expect(planner.incident).toMatchObject({ status: 'open' });
    planner.live(...quiet(46_000, 56_000));
    expect(planner.incident).toMatchObject({ status: 'closed', resolution: 'recovered' });
  });

  test('names the release that fails before a service that fails, however long that has failed', () => {
    const planner = new Listener().live(...quiet(2_000, BEGAN_MS));
    const states = { cart: { failsSinceMs: 18_000 }, checkout: { canary: 'fail' as const } };
    const signals = [signalled('cart', 22_000, 18_000), signalled('checkout', 22_000, BEGAN_MS, 'v2')];
    const [web, own] = instant(22_000, states, signals);
    own![0] = { ...own![0]!, body: assessed('checkout', 22_000, states.checkout, BEGAN_MS) };
    planner.live([web!, own!]);
    const causes = planner.incident!.causes.map(({ subject, version }) => `${subject.service} ${version}`);
    expect(causes).toEqual(['checkout v2', 'cart ']);
  });

  test('blames a release from its deployment on, not from its first request, nor from a report that came twice', () => {
    const planner = new Listener().hear(...READY, deploy(10_000, 'c1', 'v2')).live(...quiet(2_000, 30_000));
    planner.hear(deploy(40_000, 'c1', 'v2'));
    const fails = { canary: 'fail', failsSinceMs: 12_000 } as const;
    const [web, own] = instant(42_000, { checkout: fails }, [signalled('checkout', 42_000, 30_000, 'v2')]);
    own![0] = { ...own![0]!, body: assessed('checkout', 42_000, fails, 30_000) }; // Its first request came at 30 s.
    planner.live([web!, own!]);
    expect(planner.refusals).toEqual([]);
  });
});

test('services that left are forgotten: they do not hide that all the others fell silent', () => {
  const planner = new Listener();
  const [first, second] = instant(2_000);
  const left = Array.from({ length: 20 }, (_, index) => assessed(`left-${index}`, 2_000));
  const elsewhere = ofTenant('moved-out', assessed('web', 2_000));
  planner.hear(...[...left, elsewhere].map((body) => ({ atMs: 3_000, body })), ...first!, ...second!);
  planner.live(...quiet(700_000, 710_000), ...quiet(712_000, 716_000, silent(...LANES.flat().slice(1))));
  expect(planner.incident).toMatchObject({ title: expect.stringContaining('5 of 6 services fell silent') });
  expect(textOf(planner.restart())).not.toMatch(/left-1|moved-out/);
});

test.each<[string, number, string]>([
  ['goes before it when payment, which checkout calls, began to leave calls unanswered with it', BEGAN_MS, 'payment '],
  ['does not when payment only followed', BEGAN_MS + 8_000, 'checkout v2'],
])('a release that is only near the onset %s', (_name, sinceMs, first) => {
  const calls = { tenant: 'default', environment: 'demo', service: 'payment' };
  const callers = { type: 'callers' as const, subject: calls, callers: ['checkout'], endMs: 1_000 };
  const planner = new Listener().hear(...READY, { atMs: 1_500, body: callers }, deploy(10_000, 'c1', 'v2'));
  planner.live(...quiet(2_000, BEGAN_MS));
  const states = { checkout: { canary: 'insufficient' as const, failsSinceMs: BEGAN_MS } };
  const unanswered: Signal = {
    ...signalled('payment', 30_000, sinceMs),
    ...{ kind: 'availability', series: 'gap checkout unanswered', sli: null, detector: 'gap@1', score: 0.9 },
  };
  planner.live(...quiet(22_000, 28_000, states));
  planner.live(instant(30_000, states, [signalled('checkout', 30_000, BEGAN_MS), unanswered]));
  const [cause] = planner.incident!.causes;
  expect(`${cause!.subject.service} ${cause!.version}`).toBe(first);
});

test.each([
  ['is over when the service is well, though its budget still burns', [signalled('web', 22_000, BEGAN_MS)], 'closed'],
  ['of a budget alone goes on while it burns', [], 'open'],
])('an incident %s', (_name, signals, status) => {
  const burn: Signal = {
    ...signalled('web', 22_000, BEGAN_MS),
    ...{ episodeId: 'e-burn', kind: 'availability', series: 'burn slow', sli: null, detector: 'burn@1' },
  };
  const planner = new Listener().live(...quiet(2_000, BEGAN_MS));
  planner.live(instant(22_000, { web: { failsSinceMs: BEGAN_MS } }, [...signals, burn]), ...quiet(24_000, 40_000));
  expect(planner.incident).toMatchObject({ status });
});

test('a budget that burns on after its incident opens none again, until it cannot be the memory of that one', () => {
  const burn = (endMs: number): Signal => ({
    ...signalled('web', endMs, endMs - 1_000),
    ...{ episodeId: `e-burn-${endMs}`, kind: 'availability', series: 'burn slow', sli: null, detector: 'burn@1' },
  });
  const planner = troubled().live(...quiet(24_000, 34_000));
  planner.restart();
  planner.live(instant(36_000, {}, [burn(36_000)]), ...quiet(38_000, 1_840_000));
  expect(planner.incident).toMatchObject({ status: 'closed', signals: [{ series: 'errors' }] });
  planner.live(instant(1_842_000, {}, [burn(1_842_000)]));
  expect(planner.incident).toMatchObject({ status: 'open', signals: [{ series: 'burn slow' }] });
});
