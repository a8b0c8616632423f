import { WireReader, WireWriter } from '@flyball/core';
import { decodeSeries, type Series, writeSeries } from './series.ts';
import type { Subject } from './subject.ts';

/** Time `[fromMs, untilMs]` of which a raw partition cannot say what happened. */
export interface Interval {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A mergeable share of a window: what one raw partition held of a subject between two time steps. */
export interface Partial {
  readonly type: 'partial';
  readonly subject: Subject;
  /** Start of the window `[startMs, startMs + windowMs)`. */
  readonly startMs: number;
  /** All spans of the subject, of every kind. */
  readonly spans: number;
  readonly series: readonly Series[];
}

/** Spans that came after the grace of their window, or from the future: counted, never merged. */
export interface Missed {
  readonly type: 'missed';
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
    if (field === 3) return readTimeStep(reader, end);
    return reader.fail('unknown type');
  },
};

function write(writer: WireWriter, message: PartialsMessage): void {
  if (message.type === 'partial') writer.message(1, (body) => writePartial(body, message));
  else if (message.type === 'missed') writer.message(2, (body) => writeMissed(body, message));
  else writer.message(3, (body) => writeTimeStep(body, message));
}

function writePartial(writer: WireWriter, { subject, startMs, spans, series }: Partial): void {
  writer.message(1, (body) => writeSubject(body, subject));
  writer.varint(2, startMs).varint(3, spans);
  for (const each of series) writer.message(4, (body) => writeSeries(body, each));
}

function writeMissed(writer: WireWriter, { subject, startMs, lateSpans, earlySpans }: Missed): void {
  writer.message(1, (body) => writeSubject(body, subject));
  writer.varint(2, lateSpans).varint(3, earlySpans).varint(4, startMs);
}

function writeTimeStep(writer: WireWriter, { from, atMs, blind, refusedTenants, reports }: TimeStep): void {
  writer.text(1, from).varint(2, atMs);
  for (const { fromMs, untilMs } of blind) {
    writer.message(3, (body) => void body.varint(1, fromMs).varint(2, untilMs));
  }
  for (const tenant of refusedTenants) writer.text(4, tenant);
  for (const report of reports) writer.message(5, (body) => writeReport(body, report));
}

function writeReport(writer: WireWriter, { writer: name, stalled }: StallReport): void {
  writer.text(1, name);
  for (const { partition, ackedAtMs, forMs } of stalled) {
    writer.message(2, (body) => void body.text(1, partition).varint(2, ackedAtMs).varint(3, forMs));
  }
}

function readPartial(reader: WireReader, end: number): Partial {
  let subject: Subject | undefined;
  let [startMs, spans] = [0, 0];
  const series: Series[] = [];
  while (reader.next(end)) {
    if (reader.field === 1) subject = decodeSubject(reader, reader.lengthEnd(end));
    else if (reader.field === 2) startMs = reader.varintField(end);
    else if (reader.field === 3) spans = reader.varintField(end);
    else if (reader.field === 4) series.push(decodeSeries(reader, reader.lengthEnd(end)));
    else reader.skip(end);
  }
  return { type: 'partial', subject: subject ?? reader.fail('no subject'), startMs, spans, series };
}

function readMissed(reader: WireReader, end: number): Missed {
  let subject: Subject | undefined;
  let [startMs, lateSpans, earlySpans] = [0, 0, 0];
  while (reader.next(end)) {
    if (reader.field === 1) subject = decodeSubject(reader, reader.lengthEnd(end));
    else if (reader.field === 2) lateSpans = reader.varintField(end);
    else if (reader.field === 3) earlySpans = reader.varintField(end);
    else if (reader.field === 4) startMs = reader.varintField(end);
    else reader.skip(end);
  }
  return { type: 'missed', subject: subject ?? reader.fail('no subject'), startMs, lateSpans, earlySpans };
}

function readTimeStep(reader: WireReader, end: number): TimeStep {
  let [from, atMs] = ['', 0];
  const blind: Interval[] = [];
  const refusedTenants: string[] = [];
  const reports: StallReport[] = [];
  while (reader.next(end)) {
    if (reader.field === 1) from = reader.textField(end);
    else if (reader.field === 2) atMs = reader.varintField(end);
    else if (reader.field === 3) blind.push(readInterval(reader, reader.lengthEnd(end)));
    else if (reader.field === 4) refusedTenants.push(reader.textField(end));
    else if (reader.field === 5) reports.push(readReport(reader, reader.lengthEnd(end)));
    else reader.skip(end);
  }
  return { type: 'time', from, atMs, blind, refusedTenants, reports };
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

/** Writes the fields of a subject. */
export function writeSubject(writer: WireWriter, { tenant, environment, service }: Subject): void {
  writer.text(1, tenant).text(2, environment).text(3, service);
}

/** Reads a subject that ends at `end`. */
export function decodeSubject(reader: WireReader, end: number): Subject {
  let [tenant, environment, service] = ['', '', ''];
  while (reader.next(end)) {
    if (reader.field === 1) tenant = reader.textField(end);
    else if (reader.field === 2) environment = reader.textField(end);
    else if (reader.field === 3) service = reader.textField(end);
    else reader.skip(end);
  }
  return { tenant, environment, service };
}
