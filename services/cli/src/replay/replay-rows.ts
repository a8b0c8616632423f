import type { Command, Incident, Signal, Window } from '@flyball/contracts';
import { rfc3339 } from '@flyball/core';

// The lines that a replay writes. Their form is fixed: other people's tools read them. Times are RFC 3339, in the time of the data.

/** A line of `signals.jsonl`. */
export function signalRow({ subject, endMs, sinceMs, series, kind, score, ...more }: Signal): object {
  const { instance, version, observed, expected, unit, requests, bad, traceId, detector, episodeId } = more;
  return {
    ...{ at: rfc3339(endMs), environment: subject.environment, service: subject.service, series, kind, score },
    ...{ instance, version, since: rfc3339(sinceMs), observed, expected, unit, requests, bad, traceId, detector },
    episode: episodeId,
  };
}

/** A line of `incidents.jsonl`: an incident as it was in the end. */
export function incidentRow(incident: Incident): object {
  const { incidentId, environment, openedAtMs, closedAtMs, startedAtMs, status, resolution, title } = incident;
  const causes = incident.causes.map(({ rank, subject, instance, version, kind, score, reasons }) => {
    return { rank, service: subject.service, instance, version, kind, score, reasons };
  });
  const signals = incident.signals.map(({ endMs, subject, series, kind, score }) => {
    return { at: rfc3339(endMs), service: subject.service, series, kind, score };
  });
  const decisions = incident.decisions.map(({ atMs, policy, action, verdict, gates, sentence, counterfactual }) => {
    const refused = gates.filter(({ passed }) => !passed).map(({ gate, detail }) => ({ gate, detail }));
    return { at: rfc3339(atMs), policy: policy.name, action, verdict, refused, sentence, counterfactual };
  });
  const timeline = incident.timeline.map(({ atMs, kind, text }) => ({ at: rfc3339(atMs), kind, text }));
  return {
    ...{ id: incidentId, environment, openedAt: rfc3339(openedAtMs) },
    ...{ closedAt: closedAtMs === null ? null : rfc3339(closedAtMs), startedAt: rfc3339(startedAtMs) },
    ...{ status, resolution, title, causes, signals, decisions, commands: incident.commandIds, timeline },
  };
}

/** A line of `commands.jsonl`: what would have been ordered. */
export function commandRow({ commandId, issuedAtMs, expiresAtMs, target, subject, action, ...more }: Command): object {
  const { incidentId, policy, decision } = more;
  return {
    ...{ at: rfc3339(issuedAtMs), id: commandId, environment: subject.environment, service: subject.service },
    ...{ action, target: target.name, expiresAt: rfc3339(expiresAtMs), incident: incidentId, policy, decision },
  };
}

/** A line of `windows.jsonl`. Times are ms since the Unix epoch, as in the topic. */
export function windowRow({ kind, subject, startMs, endMs, coverage, spans, ...more }: Window): object {
  const { lateSpans, earlySpans, series, metrics } = more;
  const rows = series.map(({ view, name, kind: spanKind, count, errors, sumUs, minUs, maxUs }) => {
    return { view, name, kind: spanKind, count, errors, sumUs, minUs, maxUs };
  });
  const { environment, service } = subject;
  const about = { kind, environment, service, startMs, endMs, coverage, spans, lateSpans, earlySpans, series: rows };
  return metrics.length === 0 ? about : { ...about, metrics };
}
