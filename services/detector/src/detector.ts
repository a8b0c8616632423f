import {
  type ObjectiveSet,
  scopeKey,
  type SignalsMessage,
  subjectKey,
  subjectOf,
  type Window,
  WINDOW_KINDS,
  type WindowsClosed,
  type WindowsMessage,
} from '@flyball/contracts';
import { decodeSnapshot, encodeSnapshot } from '@flyball/core';
import { type Entry, Frontier, laneName, type Outbox, type Processor } from '@flyball/runtime';
import { type BurnState, countBurn, judgeBurn, newBurn } from './burn-rate.ts';
import { byName } from './by-name.ts';
import type { DetectorConfig } from './config.ts';
import { type EdgesState, judgeEdges, newEdges } from './edge-judge.ts';
import { type EpisodesState, signalsOf } from './episodes.ts';
import { type GaugesState, judgeGauges } from './gauge-judge.ts';
import { instanceSignals } from './instance-signals.ts';
import { judgeLogs, type LogsState, newLogs } from './log-judge.ts';
import { forgetUnheard, type SeriesEpisodesState } from './series-episodes.ts';
import { standingsOf } from './standing.ts';
import { abstain, judgeSubject, newSubject, type SubjectState } from './subject-judge.ts';
import { addPromise, newPromises, promisesAt, type PromisesState } from './promises.ts';
import { judgeTraffic, newTraffic, type TrafficState } from './traffic-judge.ts';

/** What the detector says. */
export type DetectorOut = { 'flyball.signals': SignalsMessage };

interface Known extends SubjectState {
  episodes: EpisodesState;
  /** Episodes of what is no SLI. */
  seriesEpisodes: SeriesEpisodesState;
  traffic: TrafficState;
  burn: BurnState;
  edges: EdgesState;
  logs: LogsState;
  gauges: GaugesState;
}

function newKnown(): Known {
  const others = { traffic: newTraffic(), burn: newBurn(), edges: newEdges(), logs: newLogs(), gauges: {} };
  return { ...newSubject(), episodes: {}, seriesEpisodes: byName(), ...others };
}

/**
 * Judges every window: one assessment per service and window, healthy ones too, or nobody could tell health from
 * silence; and signals when something begins to fail. Learning is frozen while the service's own signal is open.
 */
export class Detector implements Processor<WindowsMessage, DetectorOut> {
  readonly #config: DetectorConfig;
  readonly #lane: string;
  readonly #frontier: Frontier;
  #coverages: Record<string, number> = {};
  #subjects = new Map<string, Known>();
  /** What services promise, also those that are not heard of yet, or any more. */
  #promises = new Map<string, PromisesState>();

  /**
   * @param partition - its lane of `flyball.windows`.
   * @param lanes - how many lanes `flyball.partials` has: each passes time on to each.
   */
  constructor(config: DetectorConfig, partition: number, lanes: number) {
    this.#config = config;
    this.#lane = laneName('detector', 'flyball.windows', partition);
    const globals = Array.from({ length: lanes }, (_, lane) => laneName('global', 'flyball.partials', lane));
    this.#frontier = new Frontier(globals.flatMap((from) => WINDOW_KINDS.map((kind) => `${from} ${kind}`)));
  }

  process({ body }: Entry<WindowsMessage>, outbox: Outbox<DetectorOut>): void {
    if (body.type === 'window') this.#judge(body, outbox);
    else if (body.type === 'gone') this.#subjects.delete(subjectKey(body.subject));
    else if (body.type === 'objective') this.#promise(body);
    else this.#passTime(body, outbox);
  }

  /** A window was lost: of nobody in this lane is the next one to be believed. */
  skip(): void {
    for (const known of this.#subjects.values()) known.isHurt = true;
  }

  #promise(objective: ObjectiveSet): void {
    const key = subjectKey(objective.subject);
    const promises = this.#promises.get(key) ?? newPromises();
    addPromise(promises, objective);
    this.#promises.delete(key);
    this.#promises.set(key, promises);
    // The one that was spoken of longest ago goes.
    if (this.#promises.size > this.#config.subjectsMax) this.#promises.delete(this.#promises.keys().next().value!);
  }

  #judge(window: Window, outbox: Outbox<DetectorOut>): void {
    const key = subjectKey(window.subject);
    const scope = scopeKey(window.subject);
    let known = this.#subjects.get(key);
    if (known === undefined) {
      if (this.#subjects.size >= this.#config.subjectsMax) {
        if (window.kind === 'traces') outbox.emit('flyball.signals', scope, abstain(window));
        return;
      }
      known = newKnown();
      this.#subjects.set(key, known);
    }
    for (const message of this.#said(known, window)) outbox.emit('flyball.signals', scope, message);
  }

  /** What each kind of window is looked at for. */
  #said(known: Known, window: Window): SignalsMessage[] {
    const { seriesEpisodes: episodes } = known;
    const config = this.#config;
    switch (window.kind) {
      case 'edges':
        return judgeEdges(known.edges, episodes, window, config);
      case 'logs':
        return judgeLogs(known.logs, episodes, window, config);
      case 'metrics':
        return judgeGauges(known.gauges, episodes, window, config);
      case 'traces': {
        const assessment = judgeSubject(known, window, config);
        const promised = this.#promises.get(subjectKey(window.subject));
        const promises = promised === undefined ? {} : promisesAt(promised, window.endMs);
        countBurn(known.burn, window, promises);
        const objectives = [promises.errors, promises.latency].filter((each) => each !== undefined);
        return [
          promised === undefined || objectives.length === 0
            ? assessment
            : { ...assessment, standings: standingsOf(promised, known.burn, window, objectives) },
          ...signalsOf(known.episodes, assessment, window, config),
          ...instanceSignals(assessment, episodes, config),
          ...judgeTraffic(known.traffic, episodes, window, config),
          ...judgeBurn(known.burn, episodes, window, { promises, config }),
        ];
      }
    }
  }

  #passTime({ from, kind, endMs, coverage }: WindowsClosed, outbox: Outbox<DetectorOut>): void {
    const origin = `${from} ${kind}`;
    this.#coverages[origin] = coverage;
    if (!this.#frontier.raise(origin, endMs)) return;
    for (const [key, { seriesEpisodes }] of this.#subjects) {
      const subject = subjectOf(key);
      for (const calm of forgetUnheard(seriesEpisodes, subject, this.#frontier.atMs)) {
        outbox.emit('flyball.signals', scopeKey(subject), calm);
      }
    }
    const least = Math.min(...Object.values(this.#coverages));
    outbox.broadcast('flyball.signals', {
      type: 'closed',
      from: this.#lane,
      endMs: this.#frontier.atMs,
      coverage: least,
    });
  }

  snapshot(): Uint8Array {
    const coverages = Object.entries(this.#coverages).sort(([a], [b]) => (a < b ? -1 : 1));
    const promises = this.#promises.size === 0 ? {} : { promises: [...this.#promises] };
    return encodeSnapshot({ frontier: this.#frontier.save(), coverages, subjects: [...this.#subjects], ...promises });
  }

  restore(snapshot: Uint8Array): void {
    const saved = decodeSnapshot<Saved>(snapshot);
    // Up to line 3 there were traces only, and less was known of a subject.
    const isOld = saved.frontier.some(([origin]) => !origin.includes(' '));
    const old = new Map(saved.frontier.map(([origin, atMs]) => [`${origin} traces`, atMs]));
    const origins = this.#frontier.save().map(([origin]) => [origin, old.get(origin) ?? null] as const);
    this.#frontier.restore(isOld ? origins : saved.frontier);
    this.#coverages = isOld ? {} : Object.fromEntries(saved.coverages);
    this.#promises = new Map(saved.promises ?? []);
    this.#subjects = new Map(saved.subjects.map(([key, known]) => [key, restored({ ...newKnown(), ...known })]));
  }
}

/** Names that telemetry chose are keys of two of its parts. */
function restored(known: Known): Known {
  return { ...known, seriesEpisodes: byName(known.seriesEpisodes), instances: byName(known.instances) };
}

interface Saved {
  readonly frontier: readonly (readonly [string, number | null])[];
  readonly coverages: readonly (readonly [string, number])[];
  readonly subjects: readonly (readonly [string, Known])[];
  /** Missing where nothing is promised, and in snapshots of before objectives came here. */
  readonly promises?: readonly (readonly [string, PromisesState])[];
}
