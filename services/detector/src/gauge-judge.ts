import { type Calm, type MetricSeries, metricKey, OVERFLOW, type Signal, type Window } from '@flyball/contracts';
import { GAUGE_DEFAULTS, type GaugeState, newGauge, scoreGauge } from '@flyball/stats';
import type { DetectorConfig } from './config.ts';
import { kindOfMetric, type MetricKind } from './metric-kind.ts';
import { onCalm, onFinding, type SeriesEpisodesState, type Sight } from './series-episodes.ts';

/** One metric stream. Plain data, as all of this file: it is a part of the snapshot. */
interface StreamState {
  gauge: GaugeState;
  /** The last points, newest last: 1 where the point was off. */
  recent: number[];
  /** Time of the first point of the present run of points that are off, ms; 0 while there is none. */
  offSinceMs: number;
  isOpen: boolean;
  /** Time of the last point, ms. */
  atMs: number;
}

/** What is known of the metrics of a service, by stream. */
export type GaugesState = Record<string, StreamState>;

/** A stream signals when so many of its last points are off, and is calm when none of them is. */
const OFF_POINTS = 2;
const LAST_POINTS = 3;
/** A level must be off by so much of what was expected: smaller changes are nobody's trouble. */
const RATIO_MIN = 0.2;

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
    if (series.metric === OVERFLOW || series.points === 0) continue;
    const stream = streamOf(state, metricKey(series), config);
    if (stream !== undefined) said.push(...judgeStream(stream, series, episodes, sight));
  }
  return said;
}

/** The state of a stream; beyond the limit the one that was silent longest makes room, if it was silent at all. */
function streamOf(state: GaugesState, key: string, { gaugesMax }: DetectorConfig): StreamState | undefined {
  const known = state[key];
  if (known !== undefined) return known;
  if (Object.keys(state).length >= gaugesMax) return undefined;
  const fresh = { gauge: newGauge(), recent: [], offSinceMs: 0, isOpen: false, atMs: 0 };
  state[key] = fresh;
  return fresh;
}

function judgeStream(
  stream: StreamState,
  series: MetricSeries,
  episodes: SeriesEpisodesState,
  sight: Sight,
): (Signal | Calm)[] {
  const { metric, unit, attributes, instance, value, atMs, count, traceId } = series;
  const { alertSurprise } = GAUGE_DEFAULTS;
  const { expected, surprise, score } = scoreGauge(stream.gauge, { atMs, value });
  const about = kindOfMetric(metric, unit);
  const isWarm = score > 0 || surprise === 0;
  const isOff = isWarm && surprise >= alertSurprise && matters(value, expected ?? value, about);
  stream.atMs = atMs;
  stream.recent = [...stream.recent, isOff ? 1 : 0].slice(-LAST_POINTS);
  const off = stream.recent.reduce((sum, each) => sum + each, 0);
  if (off === 0) stream.offSinceMs = 0;
  else if (stream.offSinceMs === 0) stream.offSinceMs = atMs;
  if (off >= OFF_POINTS) stream.isOpen = true;
  else if (off === 0) stream.isOpen = false;
  const name = [metric, attributes && `{${attributes}}`, instance && `@${instance}`].filter(Boolean).join(' ');
  if (!stream.isOpen) return onCalm(episodes, name, sight);
  if (!isOff) return [];
  const numbers = { sinceMs: stream.offSinceMs, observed: value, expected: expected ?? value, log10E: surprise };
  const evidence = { alarmLog10E: alertSurprise, bad: off, requests: count, traceId, detector: 'gauge@1' };
  return onFinding(episodes, { kind: about.kind, series: name, instance, unit, ...numbers, ...evidence }, sight);
}

function matters(value: number, expected: number, { badWay }: MetricKind): boolean {
  if (Math.abs(value - expected) < RATIO_MIN * Math.abs(expected)) return false;
  return badWay === 'both' || (badWay === 'up' ? value > expected : value < expected);
}
