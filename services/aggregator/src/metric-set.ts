import {
  type MetricId,
  metricKey,
  type MetricPoint,
  type MetricSeries,
  type MetricShare,
  OVERFLOW,
} from '@flyball/contracts';
import type { AggregatorConfig } from './config.ts';
import type { SeriesBudget } from './series-budget.ts';

/** Points of a stream that a window keeps: the newest. A sender that reports more often than this gains nothing. */
const POINTS_MAX = 32;

/** The last point of a stream: what the next one is the increase to. */
export type LastPoints = Map<string, MetricPoint>;

interface Stream {
  readonly id: MetricId;
  points: MetricPoint[];
  traceId: string;
}

/**
 * The metric streams of one subject and window, within its limit and the lane's budget. What is above is left out and marked
 * by one stream that is called `(overflow)`: levels of unlike streams have no sum. Merging keeps the newest points whatever the
 * order in which they came.
 */
export class MetricSet {
  readonly #max: number;
  readonly #budget: SeriesBudget;
  readonly #streams = new Map<string, Stream>();
  #places = 0;

  constructor({ metricsMax }: AggregatorConfig, budget: SeriesBudget, saved: readonly MetricShare[] = []) {
    this.#max = metricsMax;
    this.#budget = budget;
    for (const share of saved) this.merge(share);
  }

  /** Adds points of a stream. */
  merge({ points, traceId, ...id }: MetricShare): void {
    const stream = this.#of(id);
    stream.traceId = stream.traceId === '' || (traceId !== '' && traceId < stream.traceId) ? traceId : stream.traceId;
    if (stream.id.attributes === OVERFLOW) return;
    stream.points = [...stream.points, ...points].sort(byTime).slice(-POINTS_MAX);
  }

  /** Gives the places of its streams back: it is about to be dropped. */
  release(): void {
    this.#budget.free(this.#places);
  }

  /** All streams with their points, in a fixed order. */
  toShares(): MetricShare[] {
    return this.#sorted().map(({ id, points, traceId }) => ({ ...id, points, traceId }));
  }

  /**
   * What each stream did in the window.
   *
   * @param last - the last points of the subject's streams before it, which are moved on.
   */
  close(last: LastPoints): MetricSeries[] {
    return this.#sorted().flatMap((stream) => {
      const series = seriesOf(stream, last.get(metricKey(stream.id)));
      const newest = stream.points.at(-1);
      if (newest !== undefined) last.set(metricKey(stream.id), newest);
      return series === undefined ? [] : [{ ...series, value: finite(series.value) }];
    });
  }

  #of(id: MetricId): Stream {
    const key = metricKey(id);
    const known = this.#streams.get(key);
    if (known !== undefined) return known;
    const isOverflow = id.attributes === OVERFLOW;
    if (!isOverflow && (this.#places >= this.#max || !this.#budget.take())) {
      return this.#of({ metric: OVERFLOW, unit: '', type: 'gauge', attributes: OVERFLOW, instance: '' });
    }
    if (!isOverflow) this.#places += 1;
    const { metric, unit, type, attributes, instance } = id;
    const stream: Stream = { id: { metric, unit, type, attributes, instance }, points: [], traceId: '' };
    this.#streams.set(key, stream);
    return stream;
  }

  #sorted(): Stream[] {
    return [...this.#streams].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, stream]) => stream);
  }
}

/** By time; points of one time in an order that does not hang on who came first. */
function byTime(a: MetricPoint, b: MetricPoint): number {
  return a.timeMs - b.timeMs || a.startMs - b.startMs || a.value - b.value || a.count - b.count;
}

/**
 * A stream in one window; `undefined` where its points say nothing yet: the first total of a counter has no increase.
 *
 * Source: OpenTelemetry metrics data model, "Sums", "Resets and Gaps".
 */
function seriesOf({ id, points, traceId }: Stream, before: MetricPoint | undefined): MetricSeries | undefined {
  const about = { ...id, points: points.length, atMs: points.at(-1)?.timeMs ?? 0, traceId };
  if (points.length === 0) return { ...about, value: 0, count: 0, isReset: false };
  if (id.type === 'gauge') {
    const value = points.reduce((sum, point) => sum + point.value, 0) / points.length;
    return { ...about, value, count: 0, isReset: false };
  }
  const isCumulative = id.type === 'cumulative' || id.type === 'cumulative_histogram';
  let [value, count, spanMs, isReset] = [0, 0, 0, false];
  let last = before;
  for (const point of points) {
    const step = isCumulative ? increase(point, last) : increaseOf(point, last);
    if (isCumulative && last !== undefined && point.timeMs <= last.timeMs) continue;
    last = point;
    if (step === undefined) continue;
    value += step.value;
    count += step.count;
    spanMs += step.spanMs;
    isReset ||= step.isReset;
  }
  if (id.type === 'delta_histogram' || id.type === 'cumulative_histogram') {
    return count === 0 ? undefined : { ...about, value: value / count, count, isReset };
  }
  return spanMs <= 0 ? undefined : { ...about, value: (value * 1_000) / spanMs, count: 0, isReset };
}

interface Step {
  readonly value: number;
  readonly count: number;
  readonly spanMs: number;
  readonly isReset: boolean;
}

/** From one total to the next. A total that fell, or that counts from after the last one, began anew at 0. */
function increase(point: MetricPoint, last: MetricPoint | undefined): Step | undefined {
  if (last === undefined || point.timeMs <= last.timeMs) return undefined;
  const isReset = point.value < last.value || point.count < last.count || point.startMs > last.timeMs;
  if (!isReset) {
    const [value, count] = [point.value - last.value, point.count - last.count];
    return { value, count, spanMs: point.timeMs - last.timeMs, isReset };
  }
  const spanMs = point.timeMs - Math.max(last.timeMs, point.startMs);
  return { value: point.value, count: point.count, spanMs, isReset };
}

/** An increase that was sent as one, over the time that it names, else since the point before. */
function increaseOf({ value, count, timeMs, startMs }: MetricPoint, last: MetricPoint | undefined): Step | undefined {
  const sinceMs = startMs > 0 && startMs < timeMs ? startMs : last?.timeMs;
  return { value, count, spanMs: sinceMs === undefined ? 0 : Math.max(0, timeMs - sinceMs), isReset: false };
}

/** The mean of two largest numbers is no number, and none of what reads a window takes one. */
function finite(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}
