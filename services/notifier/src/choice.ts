import type { Incident } from '@flyball/contracts';
import type { NoticeConnection } from '@flyball/outbound';
import { matchesPattern } from '@flyball/policy';
import { factsOf, type Notice, servicesOf, severityOf, type Told } from './notice.ts';

/** What is to be said of a revision: a notice, or why there is none. */
export type Choice = { readonly notice: Notice } | { readonly reason: 'known' | 'not_chosen' | 'silenced' };

/**
 * Decides whether a connection is told of a revision. Whoever was told of an incident is told of its end, whatever has become of
 * its services, its severity or a silence.
 */
export function choose(connection: NoticeConnection, incident: Incident, told: Told | undefined): Choice {
  const { revision, status, silencedUntilMs } = incident;
  const isClosed = status === 'closed';
  if (told !== undefined && (revision <= told.revision || !told.isOpen)) return { reason: 'known' };
  const severity = severityOf(incident, told?.severity);
  const isSilenced = silencedUntilMs !== null;
  if (isSilenced && !(isClosed && told !== undefined)) return { reason: 'silenced' };
  if (told === undefined && !isMeant(connection, incident, severity)) return { reason: 'not_chosen' };
  if (told !== undefined && told.facts === factsOf(incident, severity)) return { reason: 'known' };
  const event = isClosed ? 'closed' : told === undefined ? 'opened' : 'changed';
  return { notice: { event, incident, severity, before: told } };
}

function isMeant(connection: NoticeConnection, incident: Incident, severity: Notice['severity']): boolean {
  const { severities, environments, services } = connection;
  const names = servicesOf(incident);
  return (
    severities.includes(severity) &&
    environments.some((pattern) => matchesPattern(pattern, incident.environment)) &&
    // An incident without a service, a blackout, concerns all.
    (names.length === 0 || services.some((pattern) => names.some((name) => matchesPattern(pattern, name))))
  );
}
