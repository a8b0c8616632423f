import type { Incident } from '@flyball/contracts';

/** What a webhook is told of an incident, as far as it is looked at. */
export interface ToldIncident {
  readonly event: string;
  readonly dedupeKey: string;
  readonly incident: {
    readonly incidentId: string;
    readonly revision: number;
    readonly status: string;
    readonly environment: string;
  };
}

/** Every incident as it was in the end. */
export function newestIncidents(incidents: readonly Incident[]): readonly Incident[] {
  const byId = Map.groupBy(incidents, ({ incidentId }) => incidentId);
  return [...byId.values()].map((all) => all.toSorted((a, b) => a.revision - b.revision).at(-1)!);
}

/**
 * In what somebody was told otherwise than at least once and in order: of every incident that it began, and of one that is over how it
 * ended, of revisions that are on record, and whatever was told twice in the same words under the same key.
 */
export function toldBreaches(told: readonly ToldIncident[], incidents: readonly Incident[]): readonly string[] {
  const breaches: string[] = [];
  const byId = Map.groupBy(told, ({ incident: { incidentId } }) => incidentId);
  const known = new Map(incidents.map((each) => [`${each.incidentId}/${each.revision}`, each.status]));
  for (const { incidentId, revision, status } of newestIncidents(incidents)) {
    const own = byId.get(incidentId) ?? [];
    byId.delete(incidentId);
    const [first, last] = [own[0], own.at(-1)];
    // What was over before anybody could be told is told as it is by then.
    const isBegun = first?.event === 'opened' || (own.length === 1 && first?.event === 'closed');
    if (!isBegun) breaches.push(`${incidentId} began with ${first?.event ?? 'nothing'}`);
    const isEnd = last?.event === 'closed' && last.dedupeKey === `${incidentId}/${revision}`;
    if (status === 'closed' && !isEnd) breaches.push(`${incidentId}/${revision} ended with ${last?.dedupeKey}`);
    for (const [index, { dedupeKey, incident }] of own.entries()) {
      if (known.get(dedupeKey) !== incident.status) breaches.push(`${dedupeKey} was told as ${incident.status}`);
      if (incident.revision < (own[index - 1]?.incident.revision ?? 0)) breaches.push(`${dedupeKey} came too late`);
    }
    for (const [key, same] of Map.groupBy(own, ({ dedupeKey }) => dedupeKey)) {
      const words = new Set(same.map(({ incident }) => JSON.stringify(incident)));
      if (words.size > 1) breaches.push(`${key} was told in ${words.size} ways`);
    }
  }
  return [...breaches, ...[...byId.keys()].map((id) => `${id} is not on record`)];
}
