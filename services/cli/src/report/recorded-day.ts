import type { Command, Incident, Signal, Window } from '@flyball/contracts';
import { MINUTE_MS } from '@flyball/core';
import type { ReplaySinks } from '../replay/replay-stages.ts';

/** Requests, failed requests and signals within a minute that ends at `endMs`. */
interface MinuteCount {
  readonly endMs: number;
  requests: number;
  errors: number;
  signals: number;
}

/** Evidence that was stronger than all before: `[when, ms since the epoch; score, 0 to 1]`. */
export type Step = readonly [number, number];

/** An incident with what it grew from and what it led to. */
export interface DayIncident {
  readonly incident: Incident;
  /** By time, each stronger than the one before: tells when another threshold would have opened it. */
  readonly steps: readonly Step[];
  readonly commands: readonly Command[];
}

/** What a replay found in one environment. */
export interface RecordedEnvironment {
  readonly environment: string;
  /** Start of the first window and end of the last one. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly services: number;
  readonly minutes: readonly MinuteCount[];
  /** In the order in which they were opened. */
  readonly incidents: readonly DayIncident[];
  /** When telemetry as a whole was silent. */
  readonly blackouts: readonly { readonly fromMs: number; readonly untilMs: number }[];
}

interface Gathered {
  fromMs: number;
  untilMs: number;
  readonly services: Set<string>;
  readonly minutes: Map<number, MinuteCount>;
}

/** Listens to a replay, for the report. Keeps minutes, signals' scores and incidents; no windows. */
export class RecordedDay {
  readonly sinks: ReplaySinks;
  readonly #environments = new Map<string, Gathered>();
  readonly #steps = new Map<string, Step[]>();
  readonly #incidents = new Map<string, Incident>();
  readonly #commands: Command[] = [];

  constructor() {
    this.sinks = {
      window: (window) => this.#window(window),
      signal: (signal) => this.#signal(signal),
      incident: (incident) => void this.#incidents.set(incident.incidentId, incident),
      command: (command) => void this.#commands.push(command),
    };
  }

  /** What was found, by name of environment. */
  environments(): readonly RecordedEnvironment[] {
    const names = [...this.#environments.keys()].sort();
    return names.map((environment) => {
      const { fromMs, untilMs, services, minutes } = this.#environments.get(environment)!;
      const all = [...this.#incidents.values()].filter((incident) => incident.environment === environment);
      const blackouts = all.filter(({ signals }) => signals.length === 0);
      return {
        ...{ environment, fromMs, untilMs, services: services.size },
        minutes: [...minutes.values()].sort((a, b) => a.endMs - b.endMs),
        incidents: all.filter(({ signals }) => signals.length > 0).map((incident) => this.#dayIncident(incident)),
        blackouts: blackouts.map((each) => ({ fromMs: each.openedAtMs, untilMs: each.closedAtMs ?? untilMs })),
      };
    });
  }

  #dayIncident(incident: Incident): DayIncident {
    const episodes = new Set(incident.signals.map(({ episodeId }) => episodeId));
    const heard = [...episodes].flatMap((episodeId) => this.#steps.get(episodeId) ?? []);
    const commands = this.#commands.filter(({ incidentId }) => incidentId === incident.incidentId);
    return { incident, steps: recordHighs(heard), commands };
  }

  #window({ subject, startMs, endMs, kind, series }: Window): void {
    const gathered = this.#at(subject.environment, startMs, endMs);
    gathered.services.add(subject.service);
    if (kind !== 'traces') return;
    const minute = minuteOf(gathered, endMs);
    const requests = series.find(({ view }) => view === 'service');
    minute.requests += requests?.count ?? 0;
    minute.errors += requests?.errors ?? 0;
  }

  #signal({ episodeId, subject, endMs, score }: Signal): void {
    minuteOf(this.#at(subject.environment, endMs, endMs), endMs).signals += 1;
    const steps = this.#steps.get(episodeId);
    if (steps === undefined) this.#steps.set(episodeId, [[endMs, score]]);
    else steps.push([endMs, score]);
  }

  #at(environment: string, fromMs: number, untilMs: number): Gathered {
    let gathered = this.#environments.get(environment);
    if (gathered === undefined) {
      gathered = { fromMs, untilMs, services: new Set(), minutes: new Map() };
      this.#environments.set(environment, gathered);
    }
    gathered.fromMs = Math.min(gathered.fromMs, fromMs);
    gathered.untilMs = Math.max(gathered.untilMs, untilMs);
    return gathered;
  }
}

/** Tells several listeners of a replay, in their order. */
export function tellAll(listeners: readonly ReplaySinks[]): ReplaySinks {
  return {
    window: (window, more) => listeners.forEach((each) => each.window(window, more)),
    signal: (signal) => listeners.forEach((each) => each.signal(signal)),
    incident: (incident) => listeners.forEach((each) => each.incident(incident)),
    command: (command) => listeners.forEach((each) => each.command(command)),
  };
}

/** The steps that are higher than all before. Of those at once only the highest counts. */
function recordHighs(steps: readonly Step[]): readonly Step[] {
  const highs: Step[] = [];
  for (const step of [...steps].sort(([aMs, a], [bMs, b]) => aMs - bMs || b - a)) {
    if (step[1] > (highs.at(-1)?.[1] ?? -Infinity)) highs.push(step);
  }
  return highs;
}

function minuteOf({ minutes }: Gathered, endMs: number): MinuteCount {
  const end = Math.ceil(endMs / MINUTE_MS) * MINUTE_MS;
  const known = minutes.get(end) ?? { endMs: end, requests: 0, errors: 0, signals: 0 };
  minutes.set(end, known);
  return known;
}
