import {
  scopeKey,
  type SignalsMessage,
  subjectKey,
  type Window,
  WINDOW_KINDS,
  type WindowsClosed,
  type WindowsMessage,
} from '@flyball/contracts';
import { decodeSnapshot, encodeSnapshot } from '@flyball/core';
import { type Entry, Frontier, laneName, type Outbox, type Processor } from '@flyball/runtime';
import type { DetectorConfig } from './config.ts';
import { type EpisodesState, signalsOf } from './episodes.ts';
import { abstain, judgeSubject, newSubject, type SubjectState } from './subject-judge.ts';

/** What the detector says. */
export type DetectorOut = { 'flyball.signals': SignalsMessage };

interface Known extends SubjectState {
  episodes: EpisodesState;
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
    if (body.type === 'window') {
      if (body.kind === 'traces') this.#judge(body, outbox);
    } else if (body.type === 'gone') this.#subjects.delete(subjectKey(body.subject));
    else this.#passTime(body, outbox);
  }

  /** A window was lost: of nobody in this lane is the next one to be believed. */
  skip(): void {
    for (const known of this.#subjects.values()) known.isHurt = true;
  }

  #judge(window: Window, outbox: Outbox<DetectorOut>): void {
    const key = subjectKey(window.subject);
    const scope = scopeKey(window.subject);
    let known = this.#subjects.get(key);
    if (known === undefined) {
      if (this.#subjects.size >= this.#config.subjectsMax) {
        outbox.emit('flyball.signals', scope, abstain(window));
        return;
      }
      known = { ...newSubject(), episodes: {} };
      this.#subjects.set(key, known);
    }
    const assessment = judgeSubject(known, window, this.#config);
    outbox.emit('flyball.signals', scope, assessment);
    for (const signal of signalsOf(known.episodes, assessment, window, this.#config)) {
      outbox.emit('flyball.signals', scope, signal);
    }
  }

  #passTime({ from, kind, endMs, coverage }: WindowsClosed, outbox: Outbox<DetectorOut>): void {
    const origin = `${from} ${kind}`;
    this.#coverages[origin] = coverage;
    if (!this.#frontier.raise(origin, endMs)) return;
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
    return encodeSnapshot({ frontier: this.#frontier.save(), coverages, subjects: [...this.#subjects] });
  }

  restore(snapshot: Uint8Array): void {
    const saved = decodeSnapshot<Saved>(snapshot);
    this.#frontier.restore(saved.frontier);
    this.#coverages = Object.fromEntries(saved.coverages);
    this.#subjects = new Map(saved.subjects);
  }
}

interface Saved {
  readonly frontier: readonly (readonly [string, number | null])[];
  readonly coverages: readonly (readonly [string, number])[];
  readonly subjects: readonly (readonly [string, Known])[];
}
