import type { AnomalyKind, Calm, Objective, Signal, Subject } from '@flyball/contracts';
import { subjectKey } from '@flyball/contracts';
import { contentId, MINUTE_MS } from '@flyball/core';
import type { DetectorConfig } from './config.ts';
import { scoreOf } from './score.ts';

/** An episode signals again only if the evidence has grown by this much, log10. */
const WORSE_LOG10 = 2;
/** Beyond so many times what it needs to signal, more is not more certain. */
const CERTAIN_TIMES = 8;
/** An episode whose series was not heard for so long is over: nothing more will be said of it. */
const UNHEARD_MS = 5 * MINUTE_MS;

/** Episodes of one subject that are open, by series. Plain data: it is a part of the snapshot. */
export type SeriesEpisodesState = Record<string, OpenEpisode>;

interface OpenEpisode {
  readonly episodeId: string;
  readonly sinceMs: number;
  log10E: number;
  saidAtMs: number;
  heardAtMs: number;
}

/** What is off about a series in a window. */
export interface Finding {
  readonly kind: AnomalyKind;
  readonly series: string;
  readonly instance: string;
  readonly unit: string;
  readonly sinceMs: number;
  readonly observed: number;
  readonly expected: number;
  readonly log10E: number;
  /** Evidence from which on this series signals, log10. */
  readonly alarmLog10E: number;
  readonly bad: number;
  readonly requests: number;
  readonly traceId: string;
  /** Name and version of the detector: `self@1`. */
  readonly detector: string;
  /** That it is judged by, where one is on record. */
  readonly objective?: Objective | undefined;
}

/** Where and when a series was looked at. */
export interface Sight {
  readonly subject: Subject;
  readonly endMs: number;
  readonly config: DetectorConfig;
}

/** Takes in that a series is off: a signal when that is news, or much worse than it was. */
export function onFinding(state: SeriesEpisodesState, finding: Finding, { subject, endMs, config }: Sight): Signal[] {
  const { series, sinceMs, log10E, alarmLog10E, ...more } = finding;
  const open = state[series];
  if (open !== undefined) {
    open.heardAtMs = endMs;
    const isSaid = log10E < open.log10E + WORSE_LOG10 || open.log10E >= CERTAIN_TIMES * alarmLog10E;
    if (isSaid || endMs < open.saidAtMs + config.refractoryMs) return [];
    open.log10E = log10E;
    open.saidAtMs = endMs;
    const about = { episodeId: open.episodeId, sinceMs: open.sinceMs };
    return [
      {
        type: 'signal',
        subject,
        endMs,
        series,
        score: scoreOf(log10E, alarmLog10E),
        log10E,
        ...NONE,
        ...more,
        ...about,
      },
    ];
  }
  const episodeId = contentId('e', [subjectKey(subject), series, sinceMs]);
  state[series] = { episodeId, sinceMs, log10E, saidAtMs: endMs, heardAtMs: endMs };
  const about = { episodeId, sinceMs };
  return [
    { type: 'signal', subject, endMs, series, score: scoreOf(log10E, alarmLog10E), log10E, ...NONE, ...more, ...about },
  ];
}

const NONE = { sli: null, version: '' } as const;

/** Takes in that a series is as it was. */
export function onCalm(state: SeriesEpisodesState, series: string, { subject, endMs }: Sight): Calm[] {
  const open = state[series];
  if (open === undefined) return [];
  delete state[series];
  return [{ type: 'calm', episodeId: open.episodeId, subject, endMs }];
}

/** Ends episodes of which nothing was heard any more. */
export function forgetUnheard(state: SeriesEpisodesState, subject: Subject, nowMs: number): Calm[] {
  return Object.entries(state)
    .filter(([, { heardAtMs }]) => heardAtMs < nowMs - UNHEARD_MS)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([series, { episodeId }]) => {
      delete state[series];
      return { type: 'calm' as const, episodeId, subject, endMs: nowMs };
    });
}
