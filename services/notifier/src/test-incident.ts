import { DEFAULT_TENANT, type Incident } from '@flyball/contracts';

/** An incident that never was, for somebody who tries a connection. */
export function testIncident(connection: string, nowMs: number): Incident {
  const text = `a test of the connection ${connection}: nothing is wrong`;
  return {
    ...{ type: 'incident', incidentId: `test-${nowMs}`, revision: 1, tenant: DEFAULT_TENANT, environment: 'test' },
    ...{ status: 'open', resolution: null, startedAtMs: nowMs, openedAtMs: nowMs, closedAtMs: null },
    ...{
      silencedUntilMs: null,
      blindSinceMs: null,
      title: text,
      causes: [],
      signals: [],
      decisions: [],
      commandIds: [],
    },
    timeline: [{ atMs: nowMs, kind: 'signal', text }],
  };
}
