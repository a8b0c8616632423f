import { WireReader, WireWriter } from '@flyball/core';
import { decodeTimeStep, type TimeStep, writeTimeStep } from './partials.ts';
import { decodeSubject, writeSubject, type Subject } from './subject.ts';

/** What is needed of a span to join a trace. */
export interface SpanSkeleton {
  /** Lower-case hex. */
  readonly traceId: string;
  readonly spanId: string;
  /** '' for the first span of a trace. */
  readonly parentId: string;
  /** Index into the subjects of its message. */
  readonly subject: number;
  readonly name: string;
  /** Span kind, 0 to 5. */
  readonly kind: number;
  readonly instance: string;
  readonly isError: boolean;
  /** End, µs since the Unix epoch, and how long it took, µs. */
  readonly endUs: number;
  readonly durationUs: number;
  /** Whom a client span says that it calls, in its own words; '' where it does not, and for all others. */
  readonly peer: string;
}

/** Spans of sampled traces that one raw partition held between two time steps, for one lane. */
export interface Skeletons {
  readonly type: 'spans';
  readonly subjects: readonly Subject[];
  readonly spans: readonly SpanSkeleton[];
}

/** Everything in `flyball.traces`: keyed by trace id, so that a trace meets in one lane. */
export type TracesMessage = Skeletons | TimeStep;

/** `flyball.traces` as protobuf: field 1 spans, 3 time. Names and instances are said once per message. */
export const tracesCodec = {
  encode: (message: TracesMessage): Uint8Array =>
    WireWriter.encode((writer) => {
      if (message.type === 'time') writer.message(3, (body) => writeTimeStep(body, message));
      else writer.message(1, (body) => writeSkeletons(body, message));
    }),

  /** @throws `TRACES_UNREADABLE` for a message of an unknown type. */
  decode({ value }: { readonly value: Uint8Array }): TracesMessage {
    const reader = new WireReader('TRACES_UNREADABLE');
    reader.reset(value);
    if (!reader.next(value.length)) reader.fail('empty message');
    const { field } = reader;
    const end = reader.lengthEnd(value.length);
    if (field === 1) return readSkeletons(reader, end);
    if (field === 3) return decodeTimeStep(reader, end);
    return reader.fail('unknown type');
  },
};

function writeSkeletons(writer: WireWriter, { subjects, spans }: Skeletons): void {
  for (const subject of subjects) writer.message(1, (body) => writeSubject(body, subject));
  const texts = new Map<string, number>();
  const numberOf = (text: string) => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    texts.set(text, texts.size);
    return texts.size - 1;
  };
  const numbers = spans.map(
    ({ name, instance, peer }) => [numberOf(name), numberOf(instance), numberOf(peer)] as const,
  );
  for (const text of texts.keys()) writer.bytes(2, new TextEncoder().encode(text));
  for (const [index, span] of spans.entries()) {
    const [name, instance, peer] = numbers[index]!;
    writer.message(3, (body) => {
      body.text(1, span.traceId).text(2, span.spanId).text(3, span.parentId).varint(4, span.subject).varint(5, name);
      body
        .varint(6, span.kind)
        .varint(7, instance)
        .varint(8, span.isError ? 1 : 0);
      body.varint(9, span.endUs).varint(10, span.durationUs);
      if (span.peer !== '') body.varint(11, peer + 1);
    });
  }
}

function readSkeletons(reader: WireReader, end: number): Skeletons {
  const subjects: Subject[] = [];
  const texts: string[] = [];
  const spans: SpanSkeleton[] = [];
  while (reader.next(end)) {
    if (reader.field === 1) subjects.push(decodeSubject(reader, reader.lengthEnd(end)));
    else if (reader.field === 2) texts.push(reader.textField(end));
    else if (reader.field === 3) spans.push(readSpan(reader, texts, reader.lengthEnd(end)));
    else reader.skip(end);
  }
  return { type: 'spans', subjects, spans };
}

function readSpan(reader: WireReader, texts: readonly string[], end: number): SpanSkeleton {
  const numbers = new Array<number>(12).fill(0);
  let [traceId, spanId, parentId] = ['', '', ''];
  while (reader.next(end)) {
    const { field } = reader;
    if (field === 1) traceId = reader.textField(end);
    else if (field === 2) spanId = reader.textField(end);
    else if (field === 3) parentId = reader.textField(end);
    else if (field <= 11) numbers[field] = reader.varintField(end);
    else reader.skip(end);
  }
  const [, , , , subject = 0, name = 0, kind = 0, instance = 0, isError = 0, endUs = 0, durationUs = 0, peer = 0] =
    numbers;
  const text = (number: number) => texts[number] ?? reader.fail('number of a text');
  const about = { subject, name: text(name), kind, instance: text(instance), isError: isError === 1 };
  // 0: a release before this field, or a span that says nothing.
  return { traceId, spanId, parentId, ...about, endUs, durationUs, peer: peer === 0 ? '' : text(peer - 1) };
}
