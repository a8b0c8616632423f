import { hexOf } from '@flyball/core';
import { type Subject, subjectKey } from './subject.ts';

const FEW = 64;
const TRACE_ID_BYTES = 16;
/** 16 of the trace's id, 8 of the span's own, 8 of its parent's. */
export const ID_BYTES = 32;
/** The same in words of four bytes: the trace's id from 0 on, the span's own from 4 on, its parent's from 6 on. */
export const ID_WORDS = 8;

/**
 * What is needed of spans to join them into traces: a column for each thing, a place for each span. Many spans are passed on and held
 * for long, and as objects they would be most of what the garbage collector looks at.
 */
export class SpanTable {
  /** How many spans there are. Columns beyond it hold leftovers. */
  count = 0;
  /** Of each span the 16 bytes of its trace's id, the 8 of its own and the 8 of its parent's, which are zero where it has none. */
  ids: Uint8Array;
  /** The same as words, to compare and to hash. */
  words: Uint32Array;
  /** Index into {@link subjects}. */
  subject: Uint32Array;
  /** Indices into {@link texts}. */
  name: Uint32Array;
  instance: Uint32Array;
  /** Whom a client span says that it calls, in its own words; '' where it does not, and for all others. */
  peer: Uint32Array;
  /** Span kind, 0 to 5. */
  kind: Uint8Array;
  /** 1 where the status is an error. */
  isError: Uint8Array;
  /** End, whole µs since the Unix epoch. */
  endUs: Float64Array;
  /** Whole µs. */
  durationUs: Float64Array;
  #subjects: Subject[] = [];
  #texts = [''];
  #subjectNumbers = new Map<string, number>();
  #textNumbers = new Map([['', 0]]);

  /** @param room - for so many spans at first. */
  constructor(room = FEW) {
    this.ids = new Uint8Array(room * ID_BYTES);
    this.words = new Uint32Array(this.ids.buffer);
    this.subject = new Uint32Array(room);
    this.name = new Uint32Array(room);
    this.instance = new Uint32Array(room);
    this.peer = new Uint32Array(room);
    this.kind = new Uint8Array(room);
    this.isError = new Uint8Array(room);
    this.endUs = new Float64Array(room);
    this.durationUs = new Float64Array(room);
  }

  get subjects(): readonly Subject[] {
    return this.#subjects;
  }

  /** The first is ''. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** Makes a place for one more span and returns it. Whoever asks fills all columns. */
  push(): number {
    this.reserve(this.count + 1);
    this.count += 1;
    return this.count - 1;
  }

  /** Makes room for so many spans. */
  reserve(count: number): void {
    const length = this.kind.length;
    if (count > length) this.#resize(Math.max(count, 2 * length));
  }

  /** Number of a subject; `key` is that of `subjectKey`. */
  subjectNumber(subject: Subject, key = subjectKey(subject)): number {
    const known = this.#subjectNumbers.get(key);
    if (known !== undefined) return known;
    this.#subjectNumbers.set(key, this.#subjects.length);
    return this.#subjects.push(subject) - 1;
  }

  /** Number of a text. */
  textNumber(text: string): number {
    const known = this.#textNumbers.get(text);
    if (known !== undefined) return known;
    this.#textNumbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  /** Trace id of a span, 32 lower-case hex digits. */
  traceIdOf(span: number): string {
    return hexOf(this.ids, span * ID_BYTES, TRACE_ID_BYTES);
  }

  /** Whether a span names a parent. */
  hasParent(span: number): boolean {
    const parentAt = ID_WORDS * span + 6;
    return this.words[parentAt] !== 0 || this.words[parentAt + 1] !== 0;
  }

  /** Forgets all spans; the room stays. */
  clear(): void {
    this.count = 0;
    this.#subjects = [];
    this.#texts = [''];
    this.#subjectNumbers = new Map();
    this.#textNumbers = new Map([['', 0]]);
  }

  /** How spans of another table are added; returns their places here. Its subjects and texts are looked up once each. */
  copier(from: SpanTable): (span: number) => number {
    const subjectNumbers = new Int32Array(from.subjects.length).fill(-1);
    const textNumbers = new Int32Array(from.texts.length).fill(-1);
    const subjectOf = (number: number) => {
      if (subjectNumbers[number]! < 0) subjectNumbers[number] = this.subjectNumber(from.subjects[number]!);
      return subjectNumbers[number]!;
    };
    const textOf = (number: number) => {
      if (textNumbers[number]! < 0) textNumbers[number] = this.textNumber(from.texts[number]!);
      return textNumbers[number]!;
    };
    return (span) => {
      const to = this.push();
      for (let word = 0; word < ID_WORDS; word += 1) {
        this.words[ID_WORDS * to + word] = from.words[ID_WORDS * span + word]!;
      }
      this.subject[to] = subjectOf(from.subject[span]!);
      this.name[to] = textOf(from.name[span]!);
      this.instance[to] = textOf(from.instance[span]!);
      this.peer[to] = textOf(from.peer[span]!);
      this.kind[to] = from.kind[span]!;
      this.isError[to] = from.isError[span]!;
      this.endUs[to] = from.endUs[span]!;
      this.durationUs[to] = from.durationUs[span]!;
      return to;
    };
  }

  #resize(length: number): void {
    const resized = <T extends Uint8Array | Uint32Array | Float64Array>(column: T, size: number): T => {
      const larger = new (column.constructor as new (length: number) => T)(size);
      larger.set(column as never);
      return larger;
    };
    this.ids = resized(this.ids, length * ID_BYTES);
    this.words = new Uint32Array(this.ids.buffer);
    this.subject = resized(this.subject, length);
    this.name = resized(this.name, length);
    this.instance = resized(this.instance, length);
    this.peer = resized(this.peer, length);
    this.kind = resized(this.kind, length);
    this.isError = resized(this.isError, length);
    this.endUs = resized(this.endUs, length);
    this.durationUs = resized(this.durationUs, length);
  }
}
