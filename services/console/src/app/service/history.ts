import type { ChangeView, CommandDetail, ServiceDetail } from '@flyball/api';
import type { Incident } from '@flyball/contracts';
import { inert } from '../parts/inert.tsx';
import type { Marker } from './chart-drawing.ts';

/** Ranges that charts may show, ms; '' is all that is kept. */
export const RANGES: Readonly<Record<string, number>> = { '5m': 300_000, '15m': 900_000, '30m': 1_800_000 };

/** A service over a range of time, with what happened to it. */
export interface History {
  readonly windows: ServiceDetail['windows'];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly markers: readonly Marker[];
  readonly spans: readonly (readonly [number, number])[];
  readonly blind: readonly (readonly [number, number])[];
}

/** Everything that is known besides of a service. */
export interface Happenings {
  readonly changes: readonly ChangeView[];
  readonly commands: readonly CommandDetail[];
  readonly incidents: readonly Incident[];
}

/** The newest `rangeMs` of a service. */
export function historyOf(detail: ServiceDetail, happenings: Happenings, rangeMs: number): History {
  const untilMs = detail.untilMs ?? 0;
  const fromMs = Math.max(detail.fromMs ?? 0, untilMs - rangeMs);
  const windows = detail.windows.filter(({ endMs }) => endMs > fromMs);
  const blind = windows.filter(({ coverage }) => coverage < 1);
  return {
    ...{ windows, fromMs, untilMs },
    markers: markersOf(detail, happenings),
    spans: incidentsOf(detail, happenings.incidents).map(
      ({ startedAtMs, closedAtMs }) => [startedAtMs, closedAtMs ?? untilMs] as const,
    ),
    blind: blind.map(({ startMs, endMs }) => [startMs, endMs] as const),
  };
}

/** Incidents in which a service signalled or is a suspect, newest first. */
export function incidentsOf(
  { environment, service }: Pick<ServiceDetail, 'environment' | 'service'>,
  incidents: readonly Incident[],
): readonly Incident[] {
  return incidents.filter(
    (incident) =>
      incident.environment === environment &&
      [...incident.signals, ...incident.causes].some(({ subject }) => subject.service === service),
  );
}

/** What was changed and what was done, in the order of time. */
function markersOf({ environment, service }: ServiceDetail, { changes, commands }: Happenings): Marker[] {
  const changed = changes
    .filter((change) => change.environment === environment && change.service === service)
    .map(({ atMs, kind, version }): Marker => ({ atMs, kind: 'change', text: inert(`${kind} ${version}`.trim()) }));
  const done = commands
    .filter(({ command: { subject } }) => subject.environment === environment && subject.service === service)
    .flatMap(({ command, outcomes }): Marker[] =>
      outcomes.flatMap((message): Marker[] => {
        if (message.type !== 'outcome' || !['applied', 'reverted'].includes(message.status)) return [];
        const text = message.status === 'reverted' ? `${command.action.type} ends` : command.action.type;
        return [{ atMs: message.atMs, kind: 'action', text }];
      }),
    );
  return [...changed, ...done].sort((a, b) => a.atMs - b.atMs);
}
