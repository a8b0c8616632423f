import { expect, test } from 'vitest';
import { alertsOf, pulseAlerts } from './alertmanager.ts';
import type { Told } from './notice.ts';
import { testIncident } from './test-incident.ts';

// Goal: an Alertmanager shows an incident while it is open, and never one that is over or an older self of it. Method: alerts as its
// API takes them, at fixed times.

const T_MS = Date.UTC(2026, 0, 5, 9);
const context = { nowMs: T_MS + 30_000, standsMs: 300_000, linkUrl: '' };
const incident = testIncident('am', T_MS);

test('an open incident stands for a time from now on', () => {
  expect(alertsOf({ event: 'opened', incident, severity: 'critical', before: undefined }, context)).toEqual([
    {
      labels: {
        ...{ alertname: 'FlyballIncident', incident_id: `test-${T_MS}`, severity: 'critical' },
        ...{ tenant: 'default', environment: 'test' },
      },
      annotations: {
        summary: 'a test of the connection am: nothing is wrong',
        description: 'signal: a test of the connection am: nothing is wrong',
        dedupe_key: `test-${T_MS}/1`,
      },
      startsAt: '2026-01-05T09:00:00.000Z',
      endsAt: '2026-01-05T09:05:30.000Z',
    },
  ]);
});

test.each([
  ['when it was closed', T_MS + 10_000, '2026-01-05T09:00:10.000Z'],
  ['now, if its clock is ahead of ours', T_MS + 90_000, '2026-01-05T09:00:30.000Z'],
  ['never before it began', T_MS - 10_000, '2026-01-05T09:00:00.000Z'],
])('a closed one ended %s', (_when, closedAtMs, endsAt) => {
  const over = { ...incident, status: 'closed' as const, closedAtMs };
  const [alert] = alertsOf({ event: 'closed', incident: over, severity: 'warning', before: undefined }, context);
  expect(alert).toMatchObject({ startsAt: '2026-01-05T09:00:00.000Z', endsAt });
});

test('one whose labels have changed is resolved under those that it had', () => {
  const before: Told = {
    ...{ incidentId: incident.incidentId, revision: 1, severity: 'warning', service: 'web', facts: '' },
    ...{ isOpen: true, isSilenced: false, offset: 0 },
  };
  const alerts = alertsOf({ event: 'changed', incident, severity: 'critical', before }, context);
  expect(alerts.map(({ labels, endsAt }) => [labels['severity'], labels['service'], endsAt])).toEqual([
    ['warning', 'web', '2026-01-05T09:00:30.000Z'],
    ['critical', undefined, '2026-01-05T09:05:30.000Z'],
  ]);
});

test('the watchdog stands only while we are well, and the alarm only while we are not', () => {
  const stands = (reasons: readonly string[]) =>
    pulseAlerts({ reasons, sinceMs: T_MS, validUntilMs: T_MS + 180_000 }, T_MS + 1_000)
      .filter(({ endsAt }) => endsAt > '2026-01-05T09:00:01.000Z')
      .map(({ labels }) => labels['alertname']);
  expect(stands([])).toEqual(['FlyballWatchdog']);
  expect(stands(['no window was closed'])).toEqual(['FlyballBlind']);
});
