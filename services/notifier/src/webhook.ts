import { rfc3339 } from '@flyball/core';
import { dedupeKey, type Notice, servicesOf } from './notice.ts';
import type { Pulse } from './pulse.ts';
import { linkTo } from './story.ts';

const LIST_MAX = 20;

/** What a signed webhook is told of an incident. Texts are as telemetry sent them: the receiver escapes for its own place. */
export function webhookBody({ event, incident, severity }: Notice, linkUrl: string): object {
  const { incidentId, revision, tenant, environment, status, resolution, title } = incident;
  const { startedAtMs, openedAtMs, closedAtMs, blindSinceMs, causes, decisions, commandIds, timeline } = incident;
  const time = (atMs: number | null) => (atMs === null ? null : rfc3339(atMs));
  return {
    ...{ type: 'incident', event, dedupeKey: dedupeKey(incident), severity, link: linkTo(linkUrl, incident) },
    incident: {
      ...{ incidentId, revision, tenant, environment, status, resolution, title },
      ...{ startedAt: time(startedAtMs), openedAt: time(openedAtMs), closedAt: time(closedAtMs) },
      ...{ blindSince: time(blindSinceMs), services: servicesOf(incident).slice(0, LIST_MAX) },
      causes: causes.slice(0, LIST_MAX).map(({ rank, subject, version, instance, kind, score, reasons }) => ({
        ...{ rank, service: subject.service, version, instance, kind, score, reasons },
      })),
      decisions: decisions.slice(-LIST_MAX).map(({ decisionId, atMs, action, verdict, sentence, commandId }) => ({
        ...{ decisionId, at: time(atMs), action, verdict, sentence, commandId },
      })),
      commandIds: commandIds.slice(-LIST_MAX),
      timeline: timeline.slice(-LIST_MAX).map(({ atMs, kind, text }) => ({ at: time(atMs), kind, text })),
    },
  };
}

/** The dead-man signal of a signed webhook. */
export function webhookPulse({ reasons, sinceMs, validUntilMs }: Pulse): object {
  const ok = reasons.length === 0;
  return { type: 'heartbeat', ok, reasons, since: rfc3339(sinceMs), validUntil: rfc3339(validUntilMs) };
}
