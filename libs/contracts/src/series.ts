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
 * `(2^(i/64), 2^((i+1)/64)]` µs, so that a bucket's middle is at most 0.55 % off. Dense from `offset` on.
 */
export interface SketchData {
  /** Values of 0 µs. */
  readonly zeroCount: number;
  readonly offset: number;
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

/** Buckets of all durations below 2^53 µs: a run of zeros is no way to take memory. */
const BUCKETS_MAX = 53 * 64 + 1;
/** From one filled bucket in so many on, runs would save nothing. */
const FILLED_FEW = 8;

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
  const numbers = new Array<number>(11).fill(0);
  const texts = ['', '', ''];
  let counts: number[] = [];
  while (reader.next(end)) {
    const { field } = reader;
    if (field === 2) texts[0] = reader.textField(end);
    else if (field === 11) counts = readDense(reader, end);
    else if (field === 14) counts = readRuns(reader, end);
    else if (field === 12) texts[1] = reader.textField(end);
    else if (field === 13) texts[2] = reader.textField(end);
    else if (field <= 10) numbers[field] = reader.varintField(end);
    else reader.skip(end);
  }
  const [, view = 0, , kind = 0, count = 0, errors = 0, sumUs = 0, minUs = 0, maxUs = 0, zeroCount = 0, offset = 0] =
    numbers;
  const [name = '', slowestTraceId = '', errorTraceId = ''] = texts;
  const sketch = { zeroCount, offset: counts.length === 0 ? 0 : offset - 1, counts };
  const id = { view: VIEWS[view] ?? reader.fail('view'), name, kind };
  return { ...id, count, errors, sumUs, minUs, maxUs, sketch, slowestTraceId, errorTraceId };
}

/** Field and values of buckets: each of them where many are filled (11), else runs of those that are not (14). */
function bucketsOf(counts: readonly number[]): [number, readonly number[]] {
  let filled = 0;
  for (let bucket = 0; bucket < counts.length; bucket += 1) if (counts[bucket] !== 0) filled += 1;
  return filled * FILLED_FEW >= counts.length ? [11, counts] : [14, runsOf(counts)];
}

/**
 * A count that is not 0 as twice itself, a run of `n` zeros as `2n + 1`. Ten durations spread over hundreds of buckets, nearly all
 * of which are empty.
 */
function runsOf(counts: readonly number[]): number[] {
  const runs: number[] = [];
  let zeros = 0;
  for (const count of counts) {
    if (count === 0) {
      zeros += 1;
      continue;
    }
    if (zeros > 0) runs.push(2 * zeros + 1);
    zeros = 0;
    runs.push(2 * count);
  }
  if (zeros > 0) runs.push(2 * zeros + 1);
  return runs;
}

function readRuns(reader: WireReader, end: number): number[] {
  const valueEnd = reader.lengthEnd(end);
  const start = reader.at;
  let buckets = 0;
  while (reader.at < valueEnd) {
    const run = reader.varint(valueEnd);
    buckets += run % 2 === 0 ? 1 : (run - 1) / 2;
  }
  if (buckets > BUCKETS_MAX) reader.fail('more buckets than there are');
  const counts = new Array<number>(buckets).fill(0);
  reader.at = start;
  for (let bucket = 0; reader.at < valueEnd;) {
    const run = reader.varint(valueEnd);
    if (run % 2 !== 0) {
      bucket += (run - 1) / 2;
      continue;
    }
    counts[bucket] = run / 2;
    bucket += 1;
  }
  return counts;
}

function readDense(reader: WireReader, end: number): number[] {
  const valueEnd = reader.lengthEnd(end);
  const counts = new Array<number>(valueEnd - reader.at);
  let count = 0;
  for (; reader.at < valueEnd; count += 1) counts[count] = reader.varint(valueEnd);
  counts.length = count;
  return counts;
}
