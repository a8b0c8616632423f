import type { Assessment } from '@flyball/contracts';
import { expect, test } from 'vitest';
import {
  assessed,
  binding,
  instant,
  Listener,
  outcome,
  policy,
  POLICY,
  resume,
  signalled,
  type State,
  WINDOW_MS,
} from './fleet.ts';

// Goal: an action of which nobody can tell whether it helped blocks neither its incident nor its target for good, and is not
// followed by another before a person has looked. Method: a rollback, after which its service is not to be seen.

const CAME_MS = 20_000;
const UNDECIDED = { verdict: 'insufficient', reason: 'undecided' } as const;
const ready = [
  resume(1_000),
  policy(1_000, POLICY.replace('cooldownSeconds: 600', 'cooldownSeconds: 0')),
  binding(1_000, 'checkout'),
];

/** An instant in which a release fails since then. */
function failing(endMs: number, sinceMs: number) {
  const state: State = { canary: 'fail', failsSinceMs: sinceMs };
  const said = instant(endMs, { checkout: state }, [signalled('checkout', endMs, sinceMs, 'v2')]);
  said[1]![0] = { ...said[1]![0]!, body: assessed('checkout', endMs, state, sinceMs) };
  return said;
}

test.each([
  ['is gone', () => undefined],
  [
    'is neither well nor failing',
    (body: Assessment) => ({ ...body, latencySli: { ...body.latencySli, ...UNDECIDED } }),
  ],
])('an action whose service %s afterwards is waited for no longer than ten minutes', (_how, change) => {
  const planner = new Listener().hear(...ready);
  for (let endMs = 2_000; endMs <= CAME_MS; endMs += WINDOW_MS) planner.live(instant(endMs));
  planner.live(failing(22_000, CAME_MS));
  planner.hear(outcome(23_500, planner.commands[0]!, 'applied'));
  const live = (fromMs: number, untilMs: number) => {
    for (let endMs = fromMs; endMs <= untilMs; endMs += WINDOW_MS) {
      for (const { atMs, body } of instant(endMs).flat()) {
        const isOwn = body.type === 'assessment' && body.subject.service === 'checkout';
        const said = isOwn ? change(body) : body;
        if (said !== undefined) planner.hear({ atMs, body: said });
      }
    }
  };
  live(24_000, 654_000);
  expect(planner.incident).toMatchObject({ status: 'mitigating' });
  live(656_000, 730_000);
  planner.restart();
  expect(planner.judgements).toEqual([]);
  expect(planner.incident).toMatchObject({ status: 'closed', resolution: 'recovered' });
  expect(planner.incident!.timeline.map(({ text }) => text).join()).toContain('nobody can tell');
  planner.live(failing(732_000, 730_500));
  expect(planner.refusals).toEqual(['ineffective_chain']);
  planner.hear(resume(733_500)).live(failing(734_000, 730_500));
  expect(planner.commands).toHaveLength(2);
});
