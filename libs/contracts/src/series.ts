import type { WireReader, WireWriter } from '@flyball/core';

/**
 * The views of a subject. Of traces: `service`, `version` and `instance` count requests, `operation` counts every span. Of
 * edges: `caller` holds calls that others made to it, as the caller saw them; `gap` what such a call took beyond the callee's
 * own span: the network; `self` the time of its own spans without that of their children, errors being those that no child had.
 * Of logs: `severity` and `template` count records; they have no durations, and errors are records of severity error or above.
 */
export type View =
  'service' | 'operation' | 'version' | 'instance' | 'caller' | 'gap' | 'self' | 'severity' | 'template';

/** By number on the wire. */
export const VIEWS: readonly View[] = [
  ...(['service', 'operation', 'version', 'instance', 'caller', 'gap', 'self', 'severity', 'template'] as const),
];

/** Identity of a series within a subject. */
export interface SeriesId {
  readonly view: View;
  /** '' for `service`; else the span's name, the version, the instance, the caller, the severity or `<severity> <template>`; or `(overflow)`. */
  readonly name: string;
  /** Span kind of an operation or of `self`, 0 to 5; 0 for other views. */
  readonly kind: number;
}

/**
 * Durations as an OpenTelemetry base-2 exponential histogram of scale 6: bucket `i` holds values in
 * `(2^(i/64), 2^((i+1)/64)]` µs, so that a bucket's middle is at most 0.55 % off.
 */
export interface SketchData {
  /** Values of 0 µs. */
  readonly zeroCount: number;
  /** Bucket of the first count. */
  readonly offset: number;
  /** Counts of the buckets from there on; `-n` stands for `n` empty ones: ten durations spread over hundreds of buckets. */
  readonly counts: readonly number[];
}

/** One measured quantity of a subject in one window, or a mergeable share of it. Sums are exact integers. */
export interface Series extends SeriesId {
  readonly count: number;
  readonly errors: number;
  /** Sum of durations in whole µs; exact up to 2^53. */
  readonly sumUs: number;
  readonly minUs: number;
  readonly maxUs: number;
  readonly sketch: SketchData;
  /** Trace id of the slowest span, hex, or ''. */
  readonly slowestTraceId: string;
  /** Trace id of one span with an error, hex, or ''. */
  readonly errorTraceId: string;
}

/** Text of a series id: `operation GET /cart 2`. For keys of maps and for people. */
export function seriesKey({ view, name, kind }: SeriesId): string {
  return `${view} ${name} ${kind}`;
}

/** End of the buckets of all durations below 2^53 µs: neither an offset nor a run of empty ones is a way to take memory. */
const BUCKETS_END = 53 * 64;

/** Writes the fields of a series. */
export function writeSeries(writer: WireWriter, series: Series): void {
  const { zeroCount, offset, counts } = series.sketch;
  writer
    .varint(1, VIEWS.indexOf(series.view))
    .text(2, series.name)
    .varint(3, series.kind)
    .varint(4, series.count)
    .varint(5, series.errors)
    .varint(6, series.sumUs)
    .varint(7, series.minUs)
    .varint(8, series.maxUs)
    .varint(9, zeroCount)
    .varint(10, counts.length === 0 ? 0 : offset + 1) // A bucket of -1 holds exactly 1 µs.
    .packed(...bucketsOf(counts))
    .text(12, series.slowestTraceId)
    .text(13, series.errorTraceId);
}

/** Reads a series that ends at `end`. */
export function decodeSeries(reader: WireReader, end: number): Series {
  // By field.
  const numbers = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  let [name, slowestTraceId, errorTraceId] = ['', '', ''];
  let counts: number[] = [];
  while (reader.next(end)) {
    const { field } = reader;
    if (field === 2) name = reader.textField(end);
    else if (field === 11) counts = readDense(reader, end);
    else if (field === 14) counts = readRuns(reader, end);
    else if (field === 12) slowestTraceId = reader.textField(end);
    else if (field === 13) errorTraceId = reader.textField(end);
    else if (field <= 10) numbers[field] = reader.varintField(end);
    else reader.skip(end);
  }
  const offset = numbers[10]! - 1;
  if (offset + bucketsIn(counts) > BUCKETS_END) reader.fail('more buckets than there are');
  return {
    view: VIEWS[numbers[1]!] ?? reader.fail('view'),
    name,
    kind: numbers[3]!,
    count: numbers[4]!,
    errors: numbers[5]!,
    sumUs: numbers[6]!,
    minUs: numbers[7]!,
    maxUs: numbers[8]!,
    sketch: { zeroCount: numbers[9]!, offset: counts.length === 0 ? 0 : offset, counts },
    slowestTraceId,
    errorTraceId,
  };
}

/** Field and values of buckets: as they are (11), or, where there are runs of empty ones, `2c` for a count and `2n + 1` for a run of `n` (14). */
function bucketsOf(counts: readonly number[]): [number, readonly number[]] {
  for (let index = 0; index < counts.length; index += 1) if (counts[index]! < 0) return [14, runsOf(counts)];
  return [11, counts];
}

function runsOf(counts: readonly number[]): number[] {
  const runs: number[] = [];
  for (let index = 0; index < counts.length; index += 1) {
    const count = counts[index]!;
    runs.push(count < 0 ? 1 - 2 * count : 2 * count);
  }
  return runs;
}

function readRuns(reader: WireReader, end: number): number[] {
  const valueEnd = reader.lengthEnd(end);
  const counts: number[] = [];
  while (reader.at < valueEnd) {
    const run = reader.varint(valueEnd);
    counts.push(run % 2 === 0 ? run / 2 : (1 - run) / 2);
  }
  return counts;
}

function readDense(reader: WireReader, end: number): number[] {
  const valueEnd = reader.lengthEnd(end);
  const counts: number[] = [];
  while (reader.at < valueEnd) counts.push(reader.varint(valueEnd));
  return counts;
}

function bucketsIn(counts: readonly number[]): number {
  let buckets = 0;
  for (let index = 0; index < counts.length; index += 1) buckets += Math.max(1, -counts[index]!);
  return buckets;
}
