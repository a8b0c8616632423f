import type { SpanSkeleton, Subject } from '@flyball/contracts';
import { slotStartMs } from '@flyball/core';
import type { AggregatorConfig } from './config.ts';

/** A span as the joiner holds it. */
export interface HeldSpan extends Omit<SpanSkeleton, 'subject'> {
  readonly subject: Subject;
}

interface Trace {
  readonly spans: Map<string, HeldSpan>;
  /** By the id of the span that they name as their parent. */
  readonly children: Map<string, HeldSpan[]>;
  /** Start of the last window that one of its spans ended in, ms. */
  lastMs: number;
}

/** Spans, trace by trace in the order in which they came, as they are saved. */
export type SavedTraces = readonly HeldSpan[];

/** Spans that wait for their window, or for a parent; bounded. */
export class TraceStore {
  readonly #config: AggregatorConfig;
  readonly #traces = new Map<string, Trace>();
  /** Spans that were not looked at yet, by start of window. */
  readonly #windows = new Map<number, HeldSpan[]>();
  #spans = 0;

  constructor(config: AggregatorConfig) {
    this.#config = config;
  }

  /** Takes a span in, but for one that is there already. One of a window that is closed is only held for its parent. */
  add(skeleton: SpanSkeleton, subject: Subject, closedMs: number): void {
    this.#hold({ ...skeleton, subject }, closedMs);
  }

  #hold(span: HeldSpan, closedMs: number): void {
    const startMs = this.#windowOf(span);
    let trace = this.#traces.get(span.traceId);
    if (trace === undefined) {
      if (this.#spans >= this.#config.traceSpansMax) return;
      trace = { spans: new Map(), children: new Map(), lastMs: startMs };
      this.#traces.set(span.traceId, trace);
    }
    if (trace.spans.has(span.spanId)) return;
    trace.spans.set(span.spanId, span);
    trace.lastMs = Math.max(trace.lastMs, startMs);
    this.#spans += 1;
    if (span.parentId !== '') {
      const siblings = trace.children.get(span.parentId);
      if (siblings === undefined) trace.children.set(span.parentId, [span]);
      else siblings.push(span);
    }
    if (startMs < closedMs) return;
    const window = this.#windows.get(startMs);
    if (window === undefined) this.#windows.set(startMs, [span]);
    else window.push(span);
  }

  /** Starts of windows before `untilMs` in which spans ended that were not looked at, ms, in order. */
  windowsBefore(untilMs: number): number[] {
    return [...this.#windows.keys()].filter((startMs) => startMs < untilMs).sort((a, b) => a - b);
  }

  /** Takes the spans of a window out of those to look at, in an order that does not hang on who came first. */
  takeWindow(startMs: number): HeldSpan[] {
    const spans = this.#windows.get(startMs) ?? [];
    this.#windows.delete(startMs);
    return spans.sort((a, b) => (a.traceId + a.spanId < b.traceId + b.spanId ? -1 : 1));
  }

  /** Spans that name this one as their parent, in a fixed order. */
  childrenOf({ traceId, spanId }: HeldSpan): readonly HeldSpan[] {
    const children = this.#traces.get(traceId)?.children.get(spanId) ?? [];
    return children.sort((a, b) => (a.spanId < b.spanId ? -1 : 1));
  }

  /** Lets go of traces of which nothing came for a while, as of the windows before `untilMs`. */
  forget(untilMs: number): void {
    for (const [traceId, { spans, lastMs }] of this.#traces) {
      if (lastMs + this.#config.windowMs + this.#config.traceKeepMs >= untilMs) continue;
      this.#traces.delete(traceId);
      this.#spans -= spans.size;
    }
  }

  save(): SavedTraces {
    return [...this.#traces.values()].flatMap(({ spans }) => [...spans.values()]);
  }

  /** @param closedMs - windows before it were looked at. */
  restore(saved: SavedTraces, closedMs: number): void {
    for (const span of saved) this.#hold(span, closedMs);
  }

  #windowOf({ endUs }: HeldSpan): number {
    return slotStartMs(Math.floor(endUs / 1_000), this.#config.windowMs);
  }
}
