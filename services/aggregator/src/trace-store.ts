import { ID_BYTES, ID_WORDS, SpanTable, tracesCodec } from '@flyball/contracts';
import { bytesOfHex, hexOf, slotStartMs } from '@flyball/core';
import type { AggregatorConfig } from './config.ts';
import { hashOfWords, PlaceChains } from './place-chains.ts';

/** Spans in the order in which they came, as a message of `flyball.traces` in hex digits. */
export type SavedTraces = string;

/** So many times the room that traces may begin in is all there is, for spans of those that have begun. */
const ROOM_FACTOR = 4;
/** Words of a span's ids: where the trace's starts, the span's own, its parent's. */
const TRACE = 0;
const OWN = 4;
const PARENT = 6;
const NONE: readonly number[] = [];

/** Spans that wait for their window, or for a parent; bounded. A span is a place in {@link spans}, until the next `forget`. */
export class TraceStore {
  readonly #config: AggregatorConfig;
  #spans = new SpanTable();
  /** Room for those that are kept, when others are forgotten. */
  #spare = new SpanTable();
  /** Number of each span's trace. */
  #traceOf: number[] = [];
  /** Of each trace the place of its first span, and the start of the last window that one of them ended in, ms. */
  #firstOf: number[] = [];
  #lastMs: number[] = [];
  readonly #traces: PlaceChains;
  /** By trace and own id, and by trace and parent. */
  readonly #own: PlaceChains;
  readonly #children: PlaceChains;

  constructor(config: AggregatorConfig) {
    this.#config = config;
    this.#traces = new PlaceChains(config.traceSpansMax);
    this.#own = new PlaceChains(config.traceSpansMax);
    this.#children = new PlaceChains(config.traceSpansMax);
  }

  get spans(): SpanTable {
    return this.#spans;
  }

  /** Takes spans in, but for those that are there already, for traces that begin when all room is taken, and beyond four times that for any. */
  add(from: SpanTable): void {
    const { traceSpansMax } = this.#config;
    const copy = this.#spans.copier(from);
    for (let span = 0; span < from.count; span += 1) {
      const trace = this.#findTrace(from, span);
      if (this.#spans.count >= (trace < 0 ? traceSpansMax : ROOM_FACTOR * traceSpansMax)) continue;
      if (trace >= 0 && this.#isHeld(from, span, trace)) continue;
      this.#enter(copy(span), trace);
    }
  }

  /** Starts of windows in `[fromMs, untilMs)` in which spans ended, ms, in order. */
  windowsBetween(fromMs: number, untilMs: number): number[] {
    const starts = new Set<number>();
    for (let span = 0; span < this.#spans.count; span += 1) {
      const startMs = this.#windowOf(span);
      if (startMs >= fromMs && startMs < untilMs) starts.add(startMs);
    }
    return [...starts].sort((a, b) => a - b);
  }

  /** The spans of a window, in an order that does not hang on who came first. */
  spansOf(startMs: number): number[] {
    const spans: number[] = [];
    for (let span = 0; span < this.#spans.count; span += 1) if (this.#windowOf(span) === startMs) spans.push(span);
    return spans.sort((a, b) => this.#compare(a, b));
  }

  /** Spans that name this one as their parent, in a fixed order. */
  childrenOf(span: number): readonly number[] {
    const { words } = this.#spans;
    const trace = this.#traceOf[span]!;
    const at = ID_WORDS * span + OWN;
    let children: number[] | undefined;
    let child = this.#children.first(hashOfWords(words, at, 2, trace));
    for (; child >= 0; child = this.#children.after(child)) {
      if (this.#traceOf[child] !== trace) continue;
      if (isSameSpan(words, ID_WORDS * child + PARENT, words, at)) (children ??= []).push(child);
    }
    return children?.sort((a, b) => this.#compare(a, b)) ?? NONE;
  }

  /**
   * Lets go of traces of which nothing came for a while, as of the windows before `untilMs`. Where all room is taken all the same,
   * also of spans as old as that: a trace that never ends would leave none to others.
   */
  forget(untilMs: number): void {
    const { windowMs, traceKeepMs, traceSpansMax } = this.#config;
    const isOver = (lastMs: number) => lastMs + windowMs + traceKeepMs < untilMs;
    const [before, traceOf, lastMs] = [this.#spans, this.#traceOf, this.#lastMs];
    let kept = 0;
    for (let span = 0; span < before.count; span += 1) if (!isOver(lastMs[traceOf[span]!]!)) kept += 1;
    const isFull = kept >= traceSpansMax;
    if (kept === before.count && !isFull) return;
    this.#clear();
    const copy = this.#spans.copier(before);
    for (let span = 0; span < before.count; span += 1) {
      const untilSpanMs = isFull ? this.#windowIn(before, span) : lastMs[traceOf[span]!]!;
      if (!isOver(untilSpanMs)) this.#enter(copy(span), this.#findTrace(before, span));
    }
  }

  save(): SavedTraces {
    return hexOf(tracesCodec.encode({ type: 'spans', spans: this.#spans }));
  }

  restore(saved: SavedTraces): void {
    const message = tracesCodec.decode({ value: bytesOfHex(saved) });
    this.#clear();
    if (message.type !== 'spans') return;
    const copy = this.#spans.copier(message.spans);
    for (let span = 0; span < message.spans.count; span += 1) {
      this.#enter(copy(span), this.#findTrace(message.spans, span));
    }
  }

  /** Starts over with the spare table; the one before stays as it is, until the next time. */
  #clear(): void {
    [this.#spans, this.#spare] = [this.#spare, this.#spans];
    this.#spans.clear();
    [this.#traceOf, this.#firstOf, this.#lastMs] = [[], [], []];
    for (const chains of [this.#traces, this.#own, this.#children]) chains.clear();
  }

  /** Makes a span that is in the table known: to its trace, which is new if it is -1, and to who looks for children. */
  #enter(span: number, known: number): void {
    const { words } = this.#spans;
    const at = ID_WORDS * span;
    const startMs = this.#windowOf(span);
    const trace = known >= 0 ? known : this.#firstOf.push(span) - 1;
    if (known < 0) {
      this.#lastMs.push(startMs);
      this.#traces.add(hashOfWords(words, at + TRACE, 4), trace);
    }
    this.#lastMs[trace] = Math.max(this.#lastMs[trace]!, startMs);
    this.#traceOf.push(trace);
    this.#own.add(hashOfWords(words, at + OWN, 2, trace), span);
    if (this.#spans.hasParent(span)) this.#children.add(hashOfWords(words, at + PARENT, 2, trace), span);
  }

  /** Number of the trace of a span of any table, or -1. */
  #findTrace({ words }: SpanTable, span: number): number {
    const at = ID_WORDS * span + TRACE;
    let trace = this.#traces.first(hashOfWords(words, at, 4));
    for (; trace >= 0; trace = this.#traces.after(trace)) {
      if (isSameTrace(this.#spans.words, ID_WORDS * this.#firstOf[trace]! + TRACE, words, at)) break;
    }
    return trace;
  }

  #isHeld({ words }: SpanTable, span: number, trace: number): boolean {
    const at = ID_WORDS * span + OWN;
    let held = this.#own.first(hashOfWords(words, at, 2, trace));
    for (; held >= 0; held = this.#own.after(held)) {
      if (this.#traceOf[held] !== trace) continue;
      if (isSameSpan(this.#spans.words, ID_WORDS * held + OWN, words, at)) break;
    }
    return held >= 0;
  }

  /** By trace id, then by own id, as their bytes are. */
  #compare(a: number, b: number): number {
    const { ids } = this.#spans;
    const [atA, atB] = [ID_BYTES * a, ID_BYTES * b];
    for (let byte = 0; byte < 4 * PARENT; byte += 1) {
      const difference = ids[atA + byte]! - ids[atB + byte]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  #windowOf(span: number): number {
    return this.#windowIn(this.#spans, span);
  }

  #windowIn({ endUs }: SpanTable, span: number): number {
    return slotStartMs(Math.floor(endUs[span]! / 1_000), this.#config.windowMs);
  }
}

/** Whether two trace ids are the same, each from where it starts. */
function isSameTrace(a: Uint32Array, atA: number, b: Uint32Array, atB: number): boolean {
  return isSameSpan(a, atA, b, atB) && isSameSpan(a, atA + 2, b, atB + 2);
}

/** Whether two span ids are the same, each from where it starts. */
function isSameSpan(a: Uint32Array, atA: number, b: Uint32Array, atB: number): boolean {
  return a[atA] === b[atB] && a[atA + 1] === b[atB + 1];
}
