import { WireReader, WireWriter } from '@flyball/core';
import { decodeTimeStep, type TimeStep, writeTimeStep } from './partials.ts';
import { ID_BYTES, SpanTable } from './span-table.ts';
import { decodeSubject, writeSubject } from './subject.ts';

/** Spans of sampled traces that one raw partition held between two time steps, for one lane. */
export interface Skeletons {
  readonly type: 'spans';
  readonly spans: SpanTable;
}

/** Everything in `flyball.traces`: keyed by trace id, so that a trace meets in one lane. */
export type TracesMessage = Skeletons | TimeStep;

/** `flyball.traces` as protobuf: field 1 spans, a column each, 3 time. */
export const tracesCodec = {
  encode: (message: TracesMessage): Uint8Array =>
    WireWriter.encode((writer) => {
      if (message.type === 'time') writer.message(3, (body) => writeTimeStep(body, message));
      else writer.message(1, (body) => writeSpans(body, message.spans));
    }),

  /** @throws `TRACES_UNREADABLE` for a message of an unknown type, or columns that do not fit together. */
  decode({ value }: { readonly value: Uint8Array }): TracesMessage {
    const reader = new WireReader('TRACES_UNREADABLE');
    reader.reset(value);
    if (!reader.next(value.length)) reader.fail('empty message');
    const { field } = reader;
    const end = reader.lengthEnd(value.length);
    if (field === 1) return { type: 'spans', spans: readSpans(reader, end) };
    if (field === 3) return decodeTimeStep(reader, end);
    return reader.fail('unknown type');
  },
};

/** Columns of whole numbers by their fields. */
const COLUMNS = {
  4: 'subject',
  5: 'name',
  6: 'instance',
  7: 'peer',
  8: 'kind',
  9: 'isError',
  10: 'durationUs',
} as const;
type Column = SpanTable['subject' | 'kind' | 'endUs'];
const END_BASE = 11;
const ENDS = 12;

function writeSpans(writer: WireWriter, table: SpanTable): void {
  for (const subject of table.subjects) writer.message(1, (body) => writeSubject(body, subject));
  // The first text is always ''.
  for (const text of table.texts.slice(1)) writer.item(2, text);
  writer.bytes(3, table.ids.subarray(0, table.count * ID_BYTES));
  for (const [field, column] of Object.entries(COLUMNS)) {
    writer.packed(Number(field), numbersOf(table[column], table.count));
  }
  const ends = numbersOf(table.endUs, table.count);
  const baseUs = ends.reduce((least, endUs) => Math.min(least, endUs), ends[0] ?? 0);
  writer.varint(END_BASE, baseUs);
  writer.packed(
    ENDS,
    ends.map((endUs) => endUs - baseUs),
  );
}

/** A column as the writer takes it: one kind of array keeps its loop fast. */
function numbersOf(column: Column, count: number): number[] {
  const numbers = new Array<number>(count);
  for (let span = 0; span < count; span += 1) numbers[span] = column[span]!;
  return numbers;
}

function readSpans(reader: WireReader, end: number): SpanTable {
  const table = new SpanTable(0);
  let baseUs = 0;
  const columns = new Set<number>();
  while (reader.next(end)) {
    const { field } = reader;
    if (field === 1) table.subjectNumber(decodeSubject(reader, reader.lengthEnd(end)));
    else if (field === 2) table.textNumber(reader.textField(end));
    else if (field === 3) readIds(reader, end, table);
    else if (field === END_BASE) baseUs = reader.varintField(end);
    else if (field === ENDS) readColumn(reader, end, table.endUs, table.count);
    else if (field in COLUMNS) readColumn(reader, end, table[COLUMNS[field as keyof typeof COLUMNS]], table.count);
    else reader.skip(end);
    columns.add(field);
  }
  if (table.count === 0) return table;
  const isWhole = columns.has(ENDS) && Object.keys(COLUMNS).every((field) => columns.has(Number(field)));
  if (!isWhole) reader.fail('a column is missing');
  for (let span = 0; span < table.count; span += 1) {
    table.endUs[span]! += baseUs;
    const isKnown =
      table.subject[span]! < table.subjects.length &&
      Math.max(table.name[span]!, table.instance[span]!, table.peer[span]!) < table.texts.length;
    if (!isKnown) reader.fail('number of a subject or text');
  }
  return table;
}

function readIds(reader: WireReader, end: number, table: SpanTable): void {
  const ids = reader.bytesField(end);
  if (ids.length % ID_BYTES !== 0) reader.fail('length of ids');
  table.count = ids.length / ID_BYTES;
  table.reserve(table.count);
  table.ids.set(ids);
}

/** A packed field of as many numbers as there are spans; the ids come before all columns. */
function readColumn(reader: WireReader, end: number, column: Column, count: number): void {
  const valueEnd = reader.lengthEnd(end);
  let span = 0;
  for (; span < count && reader.at < valueEnd; span += 1) column[span] = reader.varint(valueEnd);
  if (span < count || reader.at < valueEnd) reader.fail('length of a column');
}
