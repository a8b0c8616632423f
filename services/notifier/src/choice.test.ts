import type { Incident, Signal } from '@flyball/contracts';
import type { NoticeConnection } from '@flyball/outbound';
import { describe, expect, test } from 'vitest';
import { choose } from './choice.ts';
import { factsOf, severityOf, type Told } from './notice.ts';
import { testIncident } from './test-incident.ts';

// Goal: people are told what concerns them, once, not while it is silenced, and always of the end of what they were told of.
// Method: a table of revisions against what a connection wants and knows.

const signal = (service: string, kind: Signal['kind'] = 'errors') =>
  ({ kind, sli: null, subject: { tenant: 'default', environment: 'prod', service } }) as Signal;
const incident = (more: Partial<Incident> = {}): Incident => ({
  ...testIncident('x', 0),
  ...{ environment: 'prod', revision: 5, signals: [signal('checkout')], ...more },
});
const to = (more: object = {}) =>
  ({ severities: ['critical', 'warning'], environments: ['*'], services: ['*'], ...more }) as NoticeConnection;
const told = (more: Partial<Told> = {}): Told => ({
  ...{ incidentId: 'x', revision: 4, severity: 'critical', service: 'checkout', facts: 'others', isOpen: true },
  ...{ isSilenced: false, offset: 0, ...more },
});
const over = { status: 'closed', closedAtMs: 1 } as const;
const outcome = (...args: Parameters<typeof choose>) => {
  const choice = choose(...args);
  return 'reason' in choice ? choice.reason : choice.notice.event;
};

test.each<[string, Incident, Told | undefined, object, string]>([
  ['a new one', incident(), undefined, {}, 'opened'],
  ['one that is over and was never told', incident(over), undefined, {}, 'closed'],
  ['something new of a known one', incident(), told(), {}, 'changed'],
  ['the end of a known one', incident(over), told(), {}, 'closed'],
  ['the same revision again', incident(), told({ revision: 5 }), {}, 'known'],
  ['an older revision', incident(), told({ revision: 6 }), {}, 'known'],
  ['one that has ended already', incident({ revision: 9 }), told({ isOpen: false }), {}, 'known'],
  ['a new one that is silenced', incident({ silencedUntilMs: 9 }), undefined, {}, 'silenced'],
  ['a change of a known one that is silenced', incident({ silencedUntilMs: 9 }), told(), {}, 'silenced'],
  ['the end of a known one in a silence', incident({ ...over, silencedUntilMs: 9 }), told(), {}, 'closed'],
  ['the end of an unknown one in a silence', incident({ ...over, silencedUntilMs: 9 }), undefined, {}, 'silenced'],
  ['another environment', incident(), undefined, { environments: ['staging', 'dev*'] }, 'not_chosen'],
  ['its environment, by its beginning', incident(), undefined, { environments: ['pr*'] }, 'opened'],
  ['another service', incident(), undefined, { services: ['cart'] }, 'not_chosen'],
  ['another severity', incident(), undefined, { severities: ['warning'] }, 'not_chosen'],
  ['a blackout, where services are named', incident({ signals: [] }), undefined, { services: ['cart'] }, 'opened'],
  ['the end of a known one of another service by now', incident(over), told(), { services: ['cart'] }, 'closed'],
])('%s', (_what, revision, known, wants, expected) => {
  expect(outcome(to(wants), revision, known)).toBe(expected);
});

describe('more of the same', () => {
  const known = told({ facts: factsOf(incident(), 'critical') });
  test('is no news', () => {
    const more = incident({ revision: 6, signals: [signal('checkout'), signal('web')], title: 'more' });
    expect(outcome(to(), more, known)).toBe('known');
  });
  test('is news when something was done', () => {
    expect(outcome(to(), incident({ revision: 6, commandIds: ['c-1'] }), known)).toBe('changed');
  });
});

test('severity is critical when requests fail or nobody can see, and never falls', () => {
  const slow = incident({ signals: [signal('web', 'latency')] });
  expect(severityOf(slow, undefined)).toBe('warning');
  expect(severityOf(slow, 'critical')).toBe('critical');
  expect(severityOf(incident(), 'warning')).toBe('critical');
  expect(severityOf(incident({ signals: [] }), undefined)).toBe('critical');
});
