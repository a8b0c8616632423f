import { ID_BYTES, SpanTable, type Subject } from '@flyball/contracts';
import { bytesOfHex } from '@flyball/core';

/** A span as a test writes it down. */
export interface PlainSpan {
  /** 32, 16 and 16 hex digits; the parent's may be ''. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly subject: Subject;
  readonly name: string;
  readonly kind: number;
  readonly instance: string;
  readonly isError: boolean;
  readonly endUs: number;
  readonly durationUs: number;
  readonly peer: string;
}

/** The table of these spans, in their order. */
export function spanTableOf(spans: readonly PlainSpan[]): SpanTable {
  const table = new SpanTable();
  for (const span of spans) {
    const at = table.push();
    table.ids.set(bytesOfHex(span.traceId + span.spanId + (span.parentId || '0'.repeat(16))), at * ID_BYTES);
    table.subject[at] = table.subjectNumber(span.subject);
    for (const column of ['name', 'instance', 'peer'] as const) table[column][at] = table.textNumber(span[column]);
    for (const column of ['kind', 'endUs', 'durationUs'] as const) table[column][at] = span[column];
    table.isError[at] = span.isError ? 1 : 0;
  }
  return table;
}

/** What a table holds, as it was written down. */
export function plainSpansOf(table: SpanTable): PlainSpan[] {
  return Array.from({ length: table.count }, (_, at) => {
    const id = (from: number, bytes: number) => {
      return Buffer.from(table.ids.subarray(at * ID_BYTES + from, at * ID_BYTES + from + bytes)).toString('hex');
    };
    const parentId = id(24, 8);
    return {
      ...{ traceId: table.traceIdOf(at), spanId: id(16, 8), parentId: table.hasParent(at) ? parentId : '' },
      subject: table.subjects[table.subject[at]!]!,
      ...{ name: table.texts[table.name[at]!]!, kind: table.kind[at]!, instance: table.texts[table.instance[at]!]! },
      ...{ isError: table.isError[at] === 1, endUs: table.endUs[at]!, durationUs: table.durationUs[at]! },
      peer: table.texts[table.peer[at]!]!,
    };
  });
}
