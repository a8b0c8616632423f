import { fnv1a, hexOf, WIRE, WireReader } from '@flyball/core';
import { readAttribute } from './attributes.ts';
import { type ScannedResource, ResourceScan } from './resource-scan.ts';

/**
 * What a point means. `gauge`: a level (also a sum that may fall). `delta`, `cumulative`: an increase, since the point
 * before or since `startMs`. The `…_histogram` ones count observations and sum their values likewise; a summary is a
 * cumulative one.
 */
export type PointType = 'gauge' | 'delta' | 'cumulative' | 'delta_histogram' | 'cumulative_histogram';

/** A data point. */
export interface ScannedPoint {
  /** Its place among all data points of the request. */
  readonly index: number;
  /** Index into {@link MetricScan.resources}. */
  readonly resource: number;
  readonly metric: string;
  /** Cut after 63 characters. */
  readonly unit: string;
  readonly type: PointType;
  /** `key=value` pairs of the point, by key, joined by commas; at most 256 characters: what is cut ends with a hash of all. */
  readonly attributes: string;
  /** Whole ms since the Unix epoch, rounded down. */
  readonly timeMs: number;
  /** Since when it counts, ms; 0 where it is not said. */
  readonly startMs: number;
  /** The level or the increase; of a histogram the sum of observations. */
  readonly value: number;
  /** Observations of a histogram; 0 for others. */
  readonly count: number;
  /** Trace id of an exemplar, 32 hex digits, or ''. */
  readonly traceId: string;
}

const ATTRIBUTES_MAX = 256;
/** Longest unit, characters: with longer ones the streams of a window would not fit a record of the log. Source: OpenTelemetry metrics API, "Instrument unit". */
const UNIT_MAX = 63;
const DELTA = 1;
/** `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`: the stream has ended, and there is no value. */
const NO_VALUE = 1;

/** Where the fields of each kind of data point are. Source: opentelemetry-proto, metrics.proto. */
const NOWHERE = { count: -1, sum: -1, buckets: -1, bounds: -1 };
const NUMBER = { attributes: 7, start: 2, time: 3, double: 4, int: 6, exemplars: 5, flags: 8, ...NOWHERE };
const COUNTED = { start: 2, time: 3, double: -1, int: -1, count: 4, sum: 5, buckets: -1, bounds: -1, flags: 10 };
const HISTOGRAM = { ...COUNTED, attributes: 9, exemplars: 8, buckets: 6, bounds: 7 };
const EXPONENTIAL = { ...COUNTED, attributes: 1, exemplars: 11 };
const SUMMARY = { ...COUNTED, attributes: 7, exemplars: -1, flags: 8 };
type PointFields = typeof NUMBER;

/** Kinds of data by the field of Metric that holds them. */
const DATA = new Map([
  [5, NUMBER],
  [7, NUMBER],
  [9, HISTOGRAM],
  [10, EXPONENTIAL],
  [11, SUMMARY],
]);

/** Reads an ExportMetricsServiceRequest (or several, concatenated) into data points. */
export class MetricScan {
  resources: ScannedResource[] = [];
  /** Points with a finite value. */
  points: ScannedPoint[] = [];
  /** All data points, also those without a value. */
  count = 0;
  /**
   * Places of points whose value is no number, or whose buckets are not one more than their bounds. Those that say of
   * themselves that they have no value are not meant.
   */
  readonly flawed = new Map<number, 'value' | 'buckets'>();
  readonly #reader = new WireReader('OTLP_MALFORMED');
  readonly #texts: ResourceScan;

  /** @param seed - for the hash of names. */
  constructor(seed = 0) {
    this.#texts = new ResourceScan(this.#reader, seed);
  }

  /** @throws {RejectedError} `OTLP_MALFORMED` with the byte offset. What was read is then of no use. */
  read(bytes: Uint8Array): void {
    this.#texts.forgetIfFull();
    const reader = this.#reader;
    reader.reset(bytes);
    this.resources = [];
    this.points = [];
    this.flawed.clear();
    this.count = 0;
    while (reader.next(bytes.length)) {
      if (reader.field === 1) this.#resourceMetrics(reader.lengthEnd(bytes.length));
      else reader.skip(bytes.length);
    }
  }

  #resourceMetrics(end: number): void {
    const reader = this.#reader;
    const start = reader.at;
    this.resources.push(this.#texts.read(end));
    reader.at = start;
    this.#each(end, 2, (scopeEnd) => this.#each(scopeEnd, 2, (metricEnd) => this.#metric(metricEnd)));
  }

  /** Goes through the messages of one repeated field. */
  #each(end: number, field: number, read: (end: number) => void): void {
    const reader = this.#reader;
    while (reader.next(end)) {
      if (reader.field === field) read(reader.lengthEnd(end));
      else reader.skip(end);
    }
  }

  /** Name and unit may come after the data, so that it is read last. */
  #metric(end: number): void {
    const reader = this.#reader;
    let [metric, unit] = ['', ''];
    const data: { fields: PointFields; field: number; at: number; end: number }[] = [];
    while (reader.next(end)) {
      const fields = DATA.get(reader.field);
      if (reader.field === 1) metric = this.#texts.textField(end);
      else if (reader.field === 3) unit = this.#texts.textField(end).slice(0, UNIT_MAX);
      else if (fields !== undefined) {
        const dataEnd = reader.lengthEnd(end);
        data.push({ fields, field: reader.field, at: reader.at, end: dataEnd });
        reader.at = dataEnd;
      } else reader.skip(end);
    }
    for (const { fields, field, at, end: dataEnd } of data) {
      reader.at = at;
      const type = this.#typeOf(field, dataEnd);
      reader.at = at;
      this.#each(dataEnd, 1, (pointEnd) => this.#point({ metric, unit, type }, fields, pointEnd));
    }
    reader.at = end;
  }

  #typeOf(field: number, end: number): PointType {
    const reader = this.#reader;
    let [temporality, isMonotonic] = [0, false];
    while (reader.next(end)) {
      if (reader.field === 2) temporality = reader.varintField(end);
      else if (reader.field === 3 && field === 7) isMonotonic = reader.varintField(end) !== 0;
      else reader.skip(end);
    }
    if (field === 5) return 'gauge';
    if (field === 7) {
      if (temporality === DELTA) return 'delta';
      return isMonotonic ? 'cumulative' : 'gauge';
    }
    return temporality === DELTA && field !== 11 ? 'delta_histogram' : 'cumulative_histogram';
  }

  #point(about: Pick<ScannedPoint, 'metric' | 'unit' | 'type'>, fields: PointFields, end: number): void {
    const reader = this.#reader;
    const attributes: string[] = [];
    let [timeMs, startMs, value, count, flags] = [0, 0, NaN, 0, 0];
    let [buckets, bounds] = [0, 0];
    let traceId = '';
    while (reader.next(end)) {
      switch (reader.field) {
        case fields.attributes:
          attributes.push(readAttribute(reader, this.#texts, reader.lengthEnd(end)).join('='));
          break;
        case fields.start:
          startMs = this.#timeMs(end);
          break;
        case fields.time:
          timeMs = this.#timeMs(end);
          break;
        case fields.double:
        case fields.sum:
          value = reader.doubleField(end);
          break;
        case fields.int:
          value = this.#int64(end);
          break;
        case fields.count:
          count = this.#int64(end);
          break;
        case fields.buckets:
          buckets += this.#numbers(end);
          break;
        case fields.bounds:
          bounds += this.#numbers(end);
          break;
        case fields.exemplars:
          traceId = this.#exemplar(reader.lengthEnd(end)) || traceId;
          break;
        case fields.flags:
          flags = reader.varintField(end);
          break;
        default:
          reader.skip(end);
      }
    }
    const index = this.count;
    this.count += 1;
    // A histogram of values that may be negative has no sum; it still counts.
    if (fields.count >= 0 && Number.isNaN(value)) value = 0;
    if ((flags & NO_VALUE) !== 0) return;
    if (!Number.isFinite(value) || count < 0) {
      this.flawed.set(index, 'value');
      return;
    }
    if (buckets > 0 && buckets !== bounds + 1) {
      this.flawed.set(index, 'buckets');
      return;
    }
    const resource = this.resources.length - 1;
    const text = bounded(attributes.sort().join(','));
    this.points.push({ ...about, index, resource, attributes: text, timeMs, startMs, value, count, traceId });
  }

  #exemplar(end: number): string {
    const reader = this.#reader;
    let traceId = '';
    while (reader.next(end)) {
      if (reader.field !== 5) {
        reader.skip(end);
        continue;
      }
      const idEnd = reader.lengthEnd(end);
      if (idEnd - reader.at === 16) traceId = hexOf(reader.bytes, reader.at, 16);
      reader.at = idEnd;
    }
    return traceId;
  }

  #timeMs(end: number): number {
    const at = this.#reader.fixed64At(end);
    return wholeMs(this.#reader.high(at), this.#reader.low(at));
  }

  /** Passes over a repeated field of 64-bit numbers, packed or not. Returns how many it holds. */
  #numbers(end: number): number {
    const reader = this.#reader;
    if (reader.wire !== WIRE.bytes) {
      reader.fixed64At(end);
      return 1;
    }
    const numbersEnd = reader.lengthEnd(end);
    const count = (numbersEnd - reader.at) / 8;
    reader.at = numbersEnd;
    return count;
  }

  /** A fixed64 or sfixed64 as a number, exact to 2^53. */
  #int64(end: number): number {
    const at = this.#reader.fixed64At(end);
    return (this.#reader.high(at) | 0) * 2 ** 32 + this.#reader.low(at);
  }
}

/** A text of at most so many characters. Two that differ only beyond them are still two: totals of unlike streams have no increase. */
function bounded(text: string): string {
  if (text.length <= ATTRIBUTES_MAX) return text;
  const mark = `… ${fnv1a(text).toString(16).padStart(8, '0')}`;
  return text.slice(0, ATTRIBUTES_MAX - mark.length) + mark;
}

/** ns in two halves as whole ms: 2^32 ns are 4294 ms and 967,296 ns. */
export function wholeMs(high: number, low: number): number {
  return high * 4_294 + Math.floor((high * 967_296 + low) / 1_000_000);
}
