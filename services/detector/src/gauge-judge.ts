import { type Calm, type MetricSeries, metricKey, OVERFLOW, type Signal, type Window } from '@flyball/contracts';
import { HOUR_MS } from '@flyball/core';
import { GAUGE_DEFAULTS, type GaugeState, newGauge, scoreGauge, usualBand } from '@flyball/stats';
import type { DetectorConfig } from './config.ts';
import { addToRun, beginRun, continuesRun, type GaugeRun, runLog10E } from './gauge-run.ts';
import { kindOfMetric } from './metric-kind.ts';
import { onCalm, onFinding, type SeriesEpisodesState, type Sight } from './series-episodes.ts';

/** One metric stream. Plain data, as all of this file: it is a part of the snapshot. */
interface StreamState {
  gauge: GaugeState;
  /** The last points, newest last: 1 where the point was off. */
  recent: number[];
  /** The present run of points that are off, or `null`. */
  run: GaugeRun | null;
  isOpen: boolean;
  /** Share of points that are zero, 0 to 1. */
  zeroRatio: number;
}

/** What is known of the metrics of a service, by stream. */
export type GaugesState = Record<string, StreamState>;

/** A stream signals when so many of its last points are off, and is calm when none of them is. */
const OFF_POINTS = 2;
const LAST_POINTS = 3;
/** Where there is no room left, a stream without a point for so long is forgotten. */
const IDLE_MS = HOUR_MS;
/** With so large a share of zeros a stream is sparse: what is not zero may only be rare. */
const SPARSE_RATIO = 0.8;

/** Scores every point of a metrics window: the very code of `flyball detect`. */
export function judgeGauges(
  state: GaugesState,
  episodes: SeriesEpisodesState,
  window: Window,
  config: DetectorConfig,
): (Signal | Calm)[] {
  const said: (Signal | Calm)[] = [];
  if (window.coverage < 1) return said;
  const sight = { subject: window.subject, endMs: window.endMs, config };
  for (const series of window.metrics) {
    // What is beyond all numbers, such as the mean of two largest ones, has no JSON, and is no level.
    if (series.metric === OVERFLOW || series.points === 0 || !Number.isFinite(series.value)) continue;
    const stream = streamOf(state, metricKey(series), window.endMs, config);
    if (stream !== undefined) said.push(...judgeStream(stream, series, episodes, sight));
  }
  return said;
}

/**
 * The state of a stream; `undefined` beyond the limit: those that were there first are judged, for as long as they are heard.
 *
 * @param nowMs - end of the window.
 */
function streamOf(state: GaugesState, key: string, nowMs: number, { gaugesMax }: DetectorConfig) {
  const known = state[key];
  if (known !== undefined) return known;
  if (Object.keys(state).length >= gaugesMax) forgetIdle(state, nowMs);
  if (Object.keys(state).length >= gaugesMax) return undefined;
  const fresh: StreamState = { gauge: newGauge(), recent: [], run: null, isOpen: false, zeroRatio: 0 };
  state[key] = fresh;
  return fresh;
}

/** Streams of instances that are gone make room: each release brings as many as it ends. */
function forgetIdle(state: GaugesState, nowMs: number): void {
  for (const [key, { gauge }] of Object.entries(state)) {
    if ((gauge.interval.lastMs ?? 0) < nowMs - IDLE_MS) delete state[key];
  }
}

function judgeStream(
  stream: StreamState,
  series: MetricSeries,
  episodes: SeriesEpisodesState,
  sight: Sight,
): (Signal | Calm)[] {
  const { metric, unit, attributes, instance, value, atMs, count, traceId } = series;
  const { alertSurprise } = GAUGE_DEFAULTS;
  const about = kindOfMetric(metric, unit);
  const point = { atMs, value, alertSurprise, about, isSparse: stream.zeroRatio >= SPARSE_RATIO };
  // As it was before this point.
  const usual = stream.run === null ? usualBand(stream.gauge) : undefined;
  const scored = scoreGauge(stream.gauge, { atMs, value });
  const isWarm = scored.score > 0 || scored.surprise === 0;
  const begun = isWarm && usual !== undefined ? beginRun(point, scored, usual) : undefined;
  if (begun !== undefined) stream.run = begun;
  const { run } = stream;
  const isOff = run !== null && (run === begun || continuesRun(run, point, scored));
  if (isOff) addToRun(run, point, scored);
  const weight = Math.max(GAUGE_DEFAULTS.learnRatio, 1 / stream.gauge.rows);
  stream.zeroRatio += weight * ((value === 0 ? 1 : 0) - stream.zeroRatio);
  stream.recent = [...stream.recent, isOff ? 1 : 0].slice(-LAST_POINTS);
  const off = stream.recent.reduce((sum, each) => sum + each, 0);
  if (off === 0) {
    stream.run = null;
    stream.isOpen = false;
  } else if (off >= OFF_POINTS && runLog10E(run!) >= alertSurprise) stream.isOpen = true;
  const name = [metric, attributes && `{${attributes}}`, instance && `@${instance}`].filter(Boolean).join(' ');
  if (!stream.isOpen) return onCalm(episodes, name, sight);
  if (!isOff) return [];
  const { sinceMs, expected } = run;
  const numbers = { sinceMs, observed: value, expected, log10E: runLog10E(run) };
  const requests = Math.min(count, Number.MAX_SAFE_INTEGER);
  const evidence = { alarmLog10E: alertSurprise, bad: off, requests, traceId, detector: 'gauge@1' };
  return onFinding(episodes, { kind: about.kind, series: name, instance, unit, ...numbers, ...evidence }, sight);
}
