import type { WireReader, WireWriter } from '@flyball/core';

/**
 * What the points of a metric mean. `gauge`: a level. `delta`, `cumulative`: an increase since the point before. The
 * `…_histogram` ones count observations and sum their values likewise.
 */
export type PointType = 'gauge' | 'delta' | 'cumulative' | 'delta_histogram' | 'cumulative_histogram';
const POINT_TYPES: readonly PointType[] = ['gauge', 'delta', 'cumulative', 'delta_histogram', 'cumulative_histogram'];

/** Which stream of points: all points of one are of one sender. */
export interface MetricId {
  readonly metric: string;
  readonly unit: string;
  readonly type: PointType;
  /** `key=value` pairs by key, joined by commas; or `(overflow)`. */
  readonly attributes: string;
  /** Instance of the resource, or ''. */
  readonly instance: string;
}

/** A point as it came. Only when a window closes are cumulative ones made differences: order must not show. */
export interface MetricPoint {
  readonly timeMs: number;
  /** Since when it counts, ms; 0 where it is not said. */
  readonly startMs: number;
  /** The level or the total; of a histogram the sum of observations. */
  readonly value: number;
  /** Observations of a histogram; 0 for others. */
  readonly count: number;
}

/** Points of one stream in one window, or a mergeable share of them. */
export interface MetricShare extends MetricId {
  /** The newest ones, by time. */
  readonly points: readonly MetricPoint[];
  /** Exemplar, hex, or ''. */
  readonly traceId: string;
}

/** What a stream did in a window. */
export interface MetricSeries extends MetricId {
  /** How many points it rests on. */
  readonly points: number;
  /** Time of the last point, ms. */
  readonly atMs: number;
  /** `gauge`: mean of the points. Increases: per second. Histograms: mean of the observations. */
  readonly value: number;
  /** Observations of a histogram in the window; 0 for others. */
  readonly count: number;
  /** Whether the total began anew. */
  readonly isReset: boolean;
  readonly traceId: string;
}

/** Text of a stream's identity, for keys of maps. */
export function metricKey({ metric, type, attributes, instance }: MetricId): string {
  return JSON.stringify([metric, attributes, instance, type]);
}

function writeId(writer: WireWriter, { metric, unit, type, attributes, instance }: MetricId): void {
  writer.text(1, metric).text(2, unit).varint(3, POINT_TYPES.indexOf(type)).text(4, attributes).text(5, instance);
}

/** Writes the fields of a share. */
export function writeMetricShare(writer: WireWriter, share: MetricShare): void {
  writeId(writer, share);
  writer.text(6, share.traceId);
  for (const { timeMs, startMs, value, count } of share.points) {
    writer.message(7, (body) => void body.varint(1, timeMs).varint(2, startMs).double(3, value).varint(4, count));
  }
}

/** Writes the fields of a series. */
export function writeMetricSeries(writer: WireWriter, series: MetricSeries): void {
  writeId(writer, series);
  writer.text(6, series.traceId).varint(8, series.points).varint(9, series.atMs).double(10, series.value);
  writer.varint(11, series.count).varint(12, series.isReset ? 1 : 0);
}

/** Reads a share that ends at `end`. */
export function decodeMetricShare(reader: WireReader, end: number): MetricShare {
  const { id, traceId, points } = decodeMetric(reader, end);
  return { ...id, points, traceId };
}

/** Reads a series that ends at `end`. */
export function decodeMetricSeries(reader: WireReader, end: number): MetricSeries {
  const { id, traceId, numbers, value } = decodeMetric(reader, end);
  const [points = 0, atMs = 0, , count = 0, isReset = 0] = numbers.slice(8);
  return { ...id, points, atMs, value, count, isReset: isReset === 1, traceId };
}

function decodeMetric(reader: WireReader, end: number) {
  const numbers = new Array<number>(13).fill(0);
  const texts = ['', '', '', '', '', '', ''];
  const points: MetricPoint[] = [];
  let value = 0;
  while (reader.next(end)) {
    const { field } = reader;
    if (field === 7) points.push(decodePoint(reader, reader.lengthEnd(end)));
    else if (field === 10) value = reader.doubleField(end);
    else if (field === 3 || (field >= 8 && field <= 12)) numbers[field] = reader.varintField(end);
    else if (field <= 6) texts[field] = reader.textField(end);
    else reader.skip(end);
  }
  const [, metric = '', unit = '', , attributes = '', instance = '', traceId = ''] = texts;
  const type = POINT_TYPES[numbers[3]!] ?? reader.fail('type of a metric');
  return { id: { metric, unit, type, attributes, instance }, traceId, points, numbers, value };
}

function decodePoint(reader: WireReader, end: number): MetricPoint {
  let [timeMs, startMs, value, count] = [0, 0, 0, 0];
  while (reader.next(end)) {
    if (reader.field === 1) timeMs = reader.varintField(end);
    else if (reader.field === 2) startMs = reader.varintField(end);
    else if (reader.field === 3) value = reader.doubleField(end);
    else if (reader.field === 4) count = reader.varintField(end);
    else reader.skip(end);
  }
  return { timeMs, startMs, value, count };
}
