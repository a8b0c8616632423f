import { rfc3339 } from '@flyball/core';
import { inertText } from './inert-text.ts';
import { dedupeKey, type Notice, serviceOf, type Told } from './notice.ts';
import type { Pulse } from './pulse.ts';
import { linkTo, storyOf } from './story.ts';

/** An alert as `POST /api/v2/alerts` takes it. Source: Alertmanager's OpenAPI, `postableAlert`. */
export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

/** What alerts are made with. */
export interface AlertContext {
  /** Wall clock, ms. */
  readonly nowMs: number;
  /** How long an alert that is not repeated stands, ms. */
  readonly standsMs: number;
  readonly linkUrl: string;
}

/**
 * Alerts of a notice. Labels are what Alertmanager knows an alert by: when one of them has changed, the alert as it was is resolved
 * in the same request.
 */
export function alertsOf(notice: Notice, { nowMs, standsMs, linkUrl }: AlertContext): readonly Alert[] {
  const { incident, severity, before } = notice;
  const startedMs = Math.min(incident.startedAtMs, nowMs);
  const endsMs =
    incident.closedAtMs === null ? nowMs + standsMs : Math.max(startedMs, Math.min(incident.closedAtMs, nowMs));
  const url = linkTo(linkUrl, incident);
  const alert = (identity: Pick<Told, 'severity' | 'service'>, untilMs: number): Alert => ({
    labels: labelsOf(notice, identity),
    annotations: {
      summary: inertText(incident.title, 500),
      description: storyOf(incident).join('\n'),
      dedupe_key: dedupeKey(incident),
    },
    startsAt: rfc3339(startedMs),
    endsAt: rfc3339(untilMs),
    ...(url !== '' && { generatorURL: url }),
  });
  const current = { severity, service: serviceOf(incident) };
  const isRenamed = before !== undefined && (before.severity !== severity || before.service !== current.service);
  return [...(isRenamed ? [alert(before, Math.max(startedMs, nowMs))] : []), alert(current, endsMs)];
}

function labelsOf({ incident }: Notice, { severity, service }: Pick<Told, 'severity' | 'service'>) {
  const { tenant, environment, incidentId } = incident;
  return {
    ...{ alertname: 'FlyballIncident', incident_id: incidentId, severity, tenant },
    environment: inertText(environment, 200),
    // An empty label is none.
    ...(service !== '' && { service: inertText(service, 200) }),
  };
}

/** The alert that stands while we are well, and the one that stands while we are not: each ends when the other begins. */
export function pulseAlerts({ reasons, sinceMs, validUntilMs }: Pulse, nowMs: number): readonly Alert[] {
  const isWell = reasons.length === 0;
  const startsMs = Math.min(sinceMs, nowMs);
  const alert = (alertname: string, severity: string, stands: boolean, summary: string): Alert => ({
    labels: { alertname, severity },
    annotations: { summary },
    startsAt: rfc3339(startsMs),
    endsAt: rfc3339(stands ? validUntilMs : nowMs),
  });
  const trouble = isWell ? 'Flyball sees again' : inertText(`Flyball is blind: ${reasons.join('; ')}`, 1_000);
  return [
    alert('FlyballWatchdog', 'none', isWell, 'Flyball is well: route this to what calls when it stops'),
    alert('FlyballBlind', 'critical', !isWell, trouble),
  ];
}
