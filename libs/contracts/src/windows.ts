import { WireReader, WireWriter } from '@flyball/core';
import { decodeMetricSeries, type MetricSeries, writeMetricSeries } from './metrics.ts';
import { decodeObjective, type ObjectiveSet, writeObjective } from './objective.ts';
import { decodeSeries, type Series, writeSeries } from './series.ts';
import { decodeSubject, type Subject, writeSubject } from './subject.ts';
import { decodeWindowKind, encodeWindowKind, type WindowKind } from './window-kind.ts';

/** Everything of one kind known of a subject in `[startMs, endMs)`: final, emitted once; of traces also when it was silent. */
export interface Window {
  readonly type: 'window';
  readonly kind: WindowKind;
  readonly subject: Subject;
  readonly startMs: number;
  readonly endMs: number;
  /** Share of raw partitions that can vouch for this time, 0 to 1. Below 1 it is no evidence of absence. */
  readonly coverage: number;
  /** All spans of the subject, of every kind; or its data points, or its log records. */
  readonly spans: number;
  /** Spans of this subject that came too late for theirs, whichever it was, within `[startMs, endMs)` of log time. */
  readonly lateSpans: number;
  /** Spans from the future that came within `[startMs, endMs)` of log time. */
  readonly earlySpans: number;
  /** Empty when nothing was heard. */
  readonly series: readonly Series[];
  /** Streams of metrics; empty for other kinds. */
  readonly metrics: readonly MetricSeries[];
}

/** A subject sent no traces for an hour; there are no more windows of it. */
export interface Gone {
  readonly type: 'gone';
  readonly subject: Subject;
  readonly endMs: number;
}

/** Every window of this kind up to `endMs` of this lane is in the topic; sent to every lane. */
export interface WindowsClosed {
  readonly type: 'closed';
  readonly kind: WindowKind;
  /** `global:flyball.partials/0`. */
  readonly from: string;
  readonly endMs: number;
  readonly coverage: number;
}

/** Everything in `flyball.windows`. */
export type WindowsMessage = Window | Gone | WindowsClosed | ObjectiveSet;

/** `flyball.windows` as protobuf: field 1 window, 2 gone, 3 closed, 4 objective. */
export const windowsCodec = {
  encode: (message: WindowsMessage): Uint8Array => WireWriter.encode((writer) => write(writer, message)),

  /** @throws `WINDOW_UNREADABLE` for a message of an unknown type. */
  decode({ value }: { readonly value: Uint8Array }): WindowsMessage {
    const reader = new WireReader('WINDOW_UNREADABLE');
    reader.reset(value);
    if (!reader.next(value.length)) reader.fail('empty message');
    const { field } = reader;
    const end = reader.lengthEnd(value.length);
    if (field === 1) return readWindow(reader, end);
    if (field === 2) return readGone(reader, end);
    if (field === 3) return readClosed(reader, end);
    if (field === 4) return decodeObjective(reader, end);
    return reader.fail('unknown type');
  },
};

function write(writer: WireWriter, message: WindowsMessage): void {
  if (message.type === 'window') writer.message(1, (body) => writeWindow(body, message));
  else if (message.type === 'gone') writer.message(2, (body) => writeGone(body, message));
  else if (message.type === 'closed') writer.message(3, (body) => writeClosed(body, message));
  else writer.message(4, (body) => writeObjective(body, message));
}

function writeWindow(writer: WireWriter, window: Window): void {
  writer.message(1, (body) => writeSubject(body, window.subject));
  writer.varint(2, window.startMs).varint(3, window.endMs).double(4, window.coverage);
  writer.varint(5, window.spans).varint(6, window.lateSpans).varint(7, window.earlySpans);
  for (const each of window.series) writer.message(8, (body) => writeSeries(body, each));
  writer.varint(9, encodeWindowKind(window.kind));
  for (const each of window.metrics) writer.message(10, (body) => writeMetricSeries(body, each));
}

function writeGone(writer: WireWriter, { subject, endMs }: Gone): void {
  writer.message(1, (body) => writeSubject(body, subject));
  writer.varint(2, endMs);
}

function writeClosed(writer: WireWriter, { kind, from, endMs, coverage }: WindowsClosed): void {
  writer.text(1, from).varint(2, endMs).double(3, coverage).varint(4, encodeWindowKind(kind));
}

function readWindow(reader: WireReader, end: number): Window {
  let subject: Subject | undefined;
  let coverage = 0;
  const numbers = new Array<number>(10).fill(0);
  const series: Series[] = [];
  const metrics: MetricSeries[] = [];
  while (reader.next(end)) {
    const { field } = reader;
    if (field === 1) subject = decodeSubject(reader, reader.lengthEnd(end));
    else if (field === 4) coverage = reader.doubleField(end);
    else if (field === 8) series.push(decodeSeries(reader, reader.lengthEnd(end)));
    else if (field === 10) metrics.push(decodeMetricSeries(reader, reader.lengthEnd(end)));
    else if (field < 10) numbers[field] = reader.varintField(end);
    else reader.skip(end);
  }
  const [, , startMs = 0, endMs = 0, , spans = 0, lateSpans = 0, earlySpans = 0, , kind = 0] = numbers;
  const known = { subject: subject ?? reader.fail('no subject'), startMs, endMs, coverage };
  return {
    type: 'window',
    kind: decodeWindowKind(reader, kind),
    ...known,
    spans,
    lateSpans,
    earlySpans,
    series,
    metrics,
  };
}

function readGone(reader: WireReader, end: number): Gone {
  let subject: Subject | undefined;
  let endMs = 0;
  while (reader.next(end)) {
    if (reader.field === 1) subject = decodeSubject(reader, reader.lengthEnd(end));
    else if (reader.field === 2) endMs = reader.varintField(end);
    else reader.skip(end);
  }
  return { type: 'gone', subject: subject ?? reader.fail('no subject'), endMs };
}

function readClosed(reader: WireReader, end: number): WindowsClosed {
  let [from, endMs, coverage, kind] = ['', 0, 0, 0];
  while (reader.next(end)) {
    if (reader.field === 1) from = reader.textField(end);
    else if (reader.field === 2) endMs = reader.varintField(end);
    else if (reader.field === 3) coverage = reader.doubleField(end);
    else if (reader.field === 4) kind = reader.varintField(end);
    else reader.skip(end);
  }
  return { type: 'closed', kind: decodeWindowKind(reader, kind), from, endMs, coverage };
}
