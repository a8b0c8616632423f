import { WireReader, WireWriter } from '@flyball/core';
import { decodeSeries, type Series, writeSeries } from './series.ts';
import { decodeMetricShare, type MetricShare, writeMetricShare } from './metrics.ts';
import { decodeSubject, type Subject, writeSubject } from './subject.ts';
import { decodeWindowKind, encodeWindowKind, type WindowKind } from './window-kind.ts';

/** Time `[fromMs, untilMs]` of which a raw partition cannot say what happened. */
export interface Interval {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A mergeable share of a window: what one raw partition (of edges: one joiner lane) held of a subject between two time steps. */
export interface Partial {
  readonly type: 'partial';
  readonly kind: WindowKind;
  readonly subject: Subject;
  /** Start of the window `[startMs, startMs + windowMs)`. */
  readonly startMs: number;
  /** All spans of the subject, of every kind; or its data points, or its log records. */
  readonly spans: number;
  readonly series: readonly Series[];
  /** Streams of metrics; empty for other kinds. */
  readonly metrics: readonly MetricShare[];
}

/** Spans, data points or log records that came after the grace of their window, or from the future: counted, never merged. */
export interface Missed {
  readonly type: 'missed';
  readonly kind: WindowKind;
  readonly subject: Subject;
  /** Start of the window, in log time, in which they came: their own is closed, or far away. */
  readonly startMs: number;
  readonly lateSpans: number;
  readonly earlySpans: number;
}

/** What a writer of raw partitions says of those that do not answer it. */
export interface StallReport {
  readonly writer: string;
  readonly stalled: readonly {
    /** `otlp_spans/3`. */
    readonly partition: string;
    /** Append time of the last record that it took from this writer, ms; 0 when it never took one. */
    readonly ackedAtMs: number;
    readonly forMs: number;
  }[];
}

/** The time of a raw partition has crossed a step; sent to every lane. */
export interface TimeStep {
  readonly type: 'time';
  /** Windows of this kind wait for it. */
  readonly kind: WindowKind;
  /** `otlp_spans/3`. */
  readonly from: string;
  readonly atMs: number;
  /** Blindness that ended or was found within the step. */
  readonly blind: readonly Interval[];
  /** Tenants whose telemetry was refused within the step. */
  readonly refusedTenants: readonly string[];
  /** The newest report of each writer that ticked within the step; of one whose partitions all answer, an empty one. */
  readonly reports: readonly StallReport[];
}

/** Everything in `flyball.partials`. */
export type PartialsMessage = Partial | Missed | TimeStep;

/** `flyball.partials` as protobuf: field 1 partial, 2 missed, 3 time. */
export const partialsCodec = {
  encode: (message: PartialsMessage): Uint8Array => WireWriter.encode((writer) => write(writer, message)),

  /** @throws `PARTIAL_UNREADABLE` for a message of an unknown type. */
  decode({ value }: { readonly value: Uint8Array }): PartialsMessage {
    const reader = new WireReader('PARTIAL_UNREADABLE');
    reader.reset(value);
    if (!reader.next(value.length)) reader.fail('empty message');
    const { field } = reader;
    const end = reader.lengthEnd(value.length);
    if (field === 1) return readPartial(reader, end);
    if (field === 2) return readMissed(reader, end);
    if (field === 3) return decodeTimeStep(reader, end);
    return reader.fail('unknown type');
  },
};

function write(writer: WireWriter, message: PartialsMessage): void {
  if (message.type === 'partial') writer.message(1, (body) => writePartial(body, message));
  else if (message.type === 'missed') writer.message(2, (body) => writeMissed(body, message));
  else writer.message(3, (body) => writeTimeStep(body, message));
}

function writePartial(writer: WireWriter, { kind, subject, startMs, spans, series, metrics }: Partial): void {
  writer.message(1, (body) => writeSubject(body, subject));
  writer.varint(2, startMs).varint(3, spans);
  for (const each of series) writer.message(4, (body) => writeSeries(body, each));
  writer.varint(5, encodeWindowKind(kind));
  for (const each of metrics) writer.message(6, (body) => writeMetricShare(body, each));
}

function writeMissed(writer: WireWriter, { kind, subject, startMs, lateSpans, earlySpans }: Missed): void {
  writer.message(1, (body) => writeSubject(body, subject));
  writer.varint(2, lateSpans).varint(3, earlySpans).varint(4, startMs).varint(5, encodeWindowKind(kind));
}

/** Writes the fields of a time step. */
export function writeTimeStep(
  writer: WireWriter,
  { kind, from, atMs, blind, refusedTenants, reports }: TimeStep,
): void {
  writer.text(1, from).varint(2, atMs);
  for (const { fromMs, untilMs } of blind) {
    writer.message(3, (body) => void body.varint(1, fromMs).varint(2, untilMs));
  }
  for (const tenant of refusedTenants) writer.text(4, tenant);
  for (const report of reports) writer.message(5, (body) => writeReport(body, report));
  writer.varint(6, encodeWindowKind(kind));
}

function writeReport(writer: WireWriter, { writer: name, stalled }: StallReport): void {
  writer.text(1, name);
  for (const { partition, ackedAtMs, forMs } of stalled) {
    writer.message(2, (body) => void body.text(1, partition).varint(2, ackedAtMs).varint(3, forMs));
  }
}

function readPartial(reader: WireReader, end: number): Partial {
  let subject: Subject | undefined;
  let [startMs, spans, kind] = [0, 0, 0];
  const series: Series[] = [];
  const metrics: MetricShare[] = [];
  while (reader.next(end)) {
    if (reader.field === 1) subject = decodeSubject(reader, reader.lengthEnd(end));
    else if (reader.field === 2) startMs = reader.varintField(end);
    else if (reader.field === 3) spans = reader.varintField(end);
    else if (reader.field === 4) series.push(decodeSeries(reader, reader.lengthEnd(end)));
    else if (reader.field === 5) kind = reader.varintField(end);
    else if (reader.field === 6) metrics.push(decodeMetricShare(reader, reader.lengthEnd(end)));
    else reader.skip(end);
  }
  const about = { kind: decodeWindowKind(reader, kind), subject: subject ?? reader.fail('no subject') };
  return { type: 'partial', ...about, startMs, spans, series, metrics };
}

function readMissed(reader: WireReader, end: number): Missed {
  let subject: Subject | undefined;
  let [startMs, lateSpans, earlySpans, kind] = [0, 0, 0, 0];
  while (reader.next(end)) {
    if (reader.field === 1) subject = decodeSubject(reader, reader.lengthEnd(end));
    else if (reader.field === 2) lateSpans = reader.varintField(end);
    else if (reader.field === 3) earlySpans = reader.varintField(end);
    else if (reader.field === 4) startMs = reader.varintField(end);
    else if (reader.field === 5) kind = reader.varintField(end);
    else reader.skip(end);
  }
  const about = { kind: decodeWindowKind(reader, kind), subject: subject ?? reader.fail('no subject') };
  return { type: 'missed', ...about, startMs, lateSpans, earlySpans };
}

/** Reads a time step that ends at `end`. */
export function decodeTimeStep(reader: WireReader, end: number): TimeStep {
  let [from, atMs, kind] = ['', 0, 0];
  const blind: Interval[] = [];
  const refusedTenants: string[] = [];
  const reports: StallReport[] = [];
  while (reader.next(end)) {
    if (reader.field === 1) from = reader.textField(end);
    else if (reader.field === 2) atMs = reader.varintField(end);
    else if (reader.field === 3) blind.push(readInterval(reader, reader.lengthEnd(end)));
    else if (reader.field === 4) refusedTenants.push(reader.textField(end));
    else if (reader.field === 5) reports.push(readReport(reader, reader.lengthEnd(end)));
    else if (reader.field === 6) kind = reader.varintField(end);
    else reader.skip(end);
  }
  return { type: 'time', kind: decodeWindowKind(reader, kind), from, atMs, blind, refusedTenants, reports };
}

function readReport(reader: WireReader, end: number): StallReport {
  let writer = '';
  const stalled: StallReport['stalled'][number][] = [];
  while (reader.next(end)) {
    if (reader.field === 1) writer = reader.textField(end);
    else if (reader.field === 2) stalled.push(readStalled(reader, reader.lengthEnd(end)));
    else reader.skip(end);
  }
  return { writer, stalled };
}

function readStalled(reader: WireReader, end: number): StallReport['stalled'][number] {
  let [partition, ackedAtMs, forMs] = ['', 0, 0];
  while (reader.next(end)) {
    if (reader.field === 1) partition = reader.textField(end);
    else if (reader.field === 2) ackedAtMs = reader.varintField(end);
    else if (reader.field === 3) forMs = reader.varintField(end);
    else reader.skip(end);
  }
  return { partition, ackedAtMs, forMs };
}

function readInterval(reader: WireReader, end: number): Interval {
  let [fromMs, untilMs] = [0, 0];
  while (reader.next(end)) {
    if (reader.field === 1) fromMs = reader.varintField(end);
    else if (reader.field === 2) untilMs = reader.varintField(end);
    else reader.skip(end);
  }
  return { fromMs, untilMs };
}
