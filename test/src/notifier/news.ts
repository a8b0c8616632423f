import { type Incident, incidentsCodec, type Signal } from '@flyball/contracts';
import type { Connection } from '@flyball/outbound';
import { formatProvenance, type Log, PROVENANCE_HEADER } from '@flyball/runtime';

/** When the incidents of tests begin, ms. */
const T_MS = Date.UTC(2026, 0, 5, 9);

/** A signal of errors of a service. */
function errorsOf(service: string, environment = 'prod'): Signal {
  return {
    ...{ type: 'signal', episodeId: `ep-${service}`, endMs: T_MS, kind: 'errors', series: 'errors', instance: '' },
    subject: { tenant: 'default', environment, service },
    ...{ score: 0.9, unit: '1', sli: 'errors', version: '', sinceMs: T_MS, observed: 0.2, expected: 0.01, log10E: 3 },
    ...{ bad: 7, requests: 36, traceId: '', detector: 'errors@1' },
  };
}

/** A revision of an incident. */
export function revision(more: Partial<Incident> = {}): Incident {
  return {
    ...{ type: 'incident', incidentId: 'inc-1', revision: 1, tenant: 'default', environment: 'prod', status: 'open' },
    ...{ resolution: null, startedAtMs: T_MS, openedAtMs: T_MS + 4_000, closedAtMs: null, silencedUntilMs: null },
    ...{
      blindSinceMs: null,
      title: 'checkout v2: errors 19 % against 0.8 %',
      causes: [],
      decisions: [],
      commandIds: [],
    },
    signals: [errorsOf('checkout')],
    timeline: [{ atMs: T_MS, kind: 'signal', text: 'checkout v2 errors 19 % against 0.8 %' }],
    ...more,
  };
}

/** The revision that ends it. */
export function closed(more: Partial<Incident> = {}): Incident {
  return revision({ status: 'closed', resolution: 'recovered', closedAtMs: T_MS + 60_000, ...more });
}

const positions = new WeakMap<Incident, number>();
let lastPosition = 0;

/** Puts revisions on record, as the planner does: what was put there before is said once more, as by one that was thought dead. */
export async function record(log: Log, ...revisions: readonly Incident[]): Promise<void> {
  for (const each of revisions) {
    const position = positions.get(each) ?? (lastPosition += 1);
    positions.set(each, position);
    const provenance = formatProvenance({ origin: 'planner:flyball.signals/0', epoch: 0, position, index: 0 });
    await log.append({ topic: 'flyball.incidents', partition: 0 }, [
      { key: each.environment, headers: { [PROVENANCE_HEADER]: provenance }, value: incidentsCodec.encode(each) },
    ]);
  }
}

type Of<Kind extends Connection['kind']> = Extract<Connection, { kind: Kind }>;

/** A connection to an address of this machine that is told of everything. */
export function connection<Kind extends 'alertmanager' | 'slack' | 'webhook'>(
  kind: Kind,
  url: string,
  more: Partial<Of<Kind>> = {},
): Of<Kind> {
  const secret = kind === 'webhook' ? 'a-secret-of-the-test' : '';
  const all = { severities: ['critical', 'warning'], environments: ['*'], services: ['*'] };
  return { name: `to-${kind}`, kind, url: new URL(url), secret, allowPrivate: true, ...all, ...more } as Of<Kind>;
}
