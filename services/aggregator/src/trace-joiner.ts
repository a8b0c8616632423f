import {
  type Interval,
  type PartialsMessage,
  type SpanTable,
  subjectKey,
  type TimeStep,
  type TracesMessage,
} from '@flyball/contracts';
import { decodeSnapshot, encodeSnapshot, slotStartMs } from '@flyball/core';
import { type Entry, Frontier, type Outbox, type Processor } from '@flyball/runtime';
import type { AggregatorConfig } from './config.ts';
import { EdgeSums } from './edge-sums.ts';
import { type SavedStalls, Stalls } from './stalls.ts';
import { KnownCallees, type SavedCallees } from './known-callees.ts';
import { type SavedTraces, TraceStore } from './trace-store.ts';

/** What the joiner says. */
export type JoinerOut = { 'flyball.partials': PartialsMessage };

/** Where a joiner stands in the topology. */
export interface JoinerPlace {
  /** Its own lane: `joiner:flyball.traces/0`. */
  readonly lane: string;
  /** Raw partitions that it waits for: `otlp_spans/0` …. */
  readonly rawPartitions: readonly string[];
}

/**
 * Joins the spans of a trace: who called whom, what the network took, and where a service's own time went. A span is looked at
 * when its window closes: its children have ended before it, and so are there.
 */
export class TraceJoiner implements Processor<TracesMessage, JoinerOut> {
  readonly #config: AggregatorConfig;
  readonly #lane: string;
  readonly #frontier: Frontier;
  readonly #stalls: Stalls;
  readonly #traces: TraceStore;
  readonly #callees = new KnownCallees();
  #times = new Map<string, number>();
  #blind: Interval[] = [];
  /** Windows up to here were looked at; `null` before the first. */
  #closedMs: number | null = null;

  constructor(config: AggregatorConfig, { lane, rawPartitions }: JoinerPlace) {
    this.#config = config;
    this.#lane = lane;
    this.#frontier = new Frontier(rawPartitions);
    this.#stalls = new Stalls(config);
    this.#traces = new TraceStore(config);
  }

  process({ body }: Entry<TracesMessage>, outbox: Outbox<JoinerOut>): void {
    if (body.type === 'time') return this.#passTime(body, outbox);
    this.#traces.add(body.spans);
  }

  /** Spans were lost: what is open cannot be vouched for. */
  skip({ atMs }: { readonly atMs: number }): void {
    this.#blind.push({ fromMs: this.#closedMs ?? atMs, untilMs: atMs });
  }

  #passTime({ from, atMs, blind, reports }: TimeStep, outbox: Outbox<JoinerOut>): void {
    const { windowMs, graceMs } = this.#config;
    this.#blind.push(...blind);
    this.#times.set(from, Math.max(atMs, this.#times.get(from) ?? 0));
    this.#stalls.hear(reports, atMs);
    const beforeMs = this.#frontier.atMs;
    this.#frontier.raise(from, atMs);
    this.#frontier.leave(this.#stalls.down(this.#times));
    const nowMs = this.#frontier.atMs;
    if (nowMs <= beforeMs) return;
    const untilMs = slotStartMs(nowMs - graceMs, windowMs);
    if (untilMs > (this.#closedMs ?? 0)) this.#close(untilMs, outbox);
    const about = { kind: 'edges' as const, from: this.#lane, atMs: nowMs, blind: this.#blind };
    outbox.broadcast('flyball.partials', { type: 'time', ...about, refusedTenants: [], reports: [] });
    this.#blind = [];
  }

  /** Looks at the windows before `untilMs`. A span that comes later is only held for its parent. */
  #close(untilMs: number, outbox: Outbox<JoinerOut>): void {
    for (const startMs of this.#traces.windowsBetween(this.#closedMs ?? 0, untilMs)) {
      const sums = new EdgeSums(this.#config, this.#traces.spans);
      for (const span of this.#traces.spansOf(startMs)) this.#look(this.#traces.spans, span, sums);
      for (const { subject, spans, series } of sums.take()) {
        const partial = { kind: 'edges' as const, subject, startMs, spans, series, metrics: [] };
        outbox.emit('flyball.partials', subjectKey(subject), { type: 'partial', ...partial });
      }
    }
    this.#closedMs = untilMs;
    this.#traces.forget(untilMs);
  }

  /** What one span tells, with those that it caused. */
  #look(spans: SpanTable, span: number, sums: EdgeSums): void {
    const { subject, isError, endUs, durationUs } = spans;
    const children = this.#traces.childrenOf(span);
    const caller = subject[span]!;
    const elsewhere = children.filter((child) => subject[child] !== caller);
    const isClient = spans.kind[span] === CLIENT;
    if (isClient && children.length === 0 && isError[span] === 1) {
      const callee = this.#callees.of(spans, span);
      // Nobody answered: that is the trouble of who should have, or of the network before it, and none of the caller's own.
      if (callee !== undefined) return sums.unanswered(spans.subjectNumber(callee), span);
    }
    for (const child of elsewhere) {
      const callee = subject[child]!;
      if (spans.subjects[callee]!.environment !== spans.subjects[caller]!.environment) continue;
      // A client span is the call as the caller saw it: what it took beyond the callee's span is the network's.
      const isCall = isClient && elsewhere.length === 1;
      const calledUs = durationUs[isCall ? span : child]!;
      sums.call({ callee, caller, durationUs: calledUs, isError: isError[child] === 1 }, child);
      if (!isCall) continue;
      this.#callees.learn(spans, span, spans.subjects[callee]!);
      sums.gap(callee, caller, Math.max(0, durationUs[span]! - durationUs[child]!), span);
    }
    // The rest of a call to another service is the network's, not the caller's own.
    if (isClient && elsewhere.length > 0) return;
    const childUs = coveredUs(spans, children, endUs[span]! - durationUs[span]!, endUs[span]!);
    const isOwnError = isError[span] === 1 && !children.some((child) => isError[child] === 1);
    sums.self(span, Math.max(0, durationUs[span]! - childUs), isOwnError);
  }

  snapshot(): Uint8Array {
    return encodeSnapshot({
      closedMs: this.#closedMs,
      frontier: this.#frontier.save(),
      times: [...this.#times].sort(([a], [b]) => (a < b ? -1 : 1)),
      stalls: this.#stalls.save(),
      blind: this.#blind,
      traces: this.#traces.save(),
      callees: this.#callees.save(),
    });
  }

  restore(snapshot: Uint8Array): void {
    const saved = decodeSnapshot<SavedJoiner>(snapshot);
    this.#closedMs = saved.closedMs;
    this.#frontier.restore(saved.frontier);
    this.#times = new Map(saved.times);
    this.#stalls.restore(saved.stalls);
    this.#frontier.leave(this.#times.size > 0 ? this.#stalls.down(this.#times) : new Set());
    this.#blind = [...saved.blind];
    this.#traces.restore(saved.traces);
    this.#callees.restore(saved.callees);
  }
}

interface SavedJoiner {
  readonly closedMs: number | null;
  readonly frontier: readonly (readonly [string, number | null])[];
  readonly times: readonly (readonly [string, number])[];
  readonly stalls: SavedStalls;
  readonly blind: readonly Interval[];
  readonly traces: SavedTraces;
  readonly callees: SavedCallees;
}

const CLIENT = 3;

/** How much of `[fromUs, untilUs]` the spans cover together, µs: children may run side by side. */
function coveredUs(
  { endUs, durationUs }: SpanTable,
  spans: readonly number[],
  fromUs: number,
  untilUs: number,
): number {
  if (spans.length === 0) return 0;
  const intervals = spans
    .map((span) => [Math.max(fromUs, endUs[span]! - durationUs[span]!), Math.min(untilUs, endUs[span]!)] as const)
    .filter(([start, end]) => end > start)
    .sort(([a], [b]) => a - b);
  let [covered, reachedUs] = [0, fromUs];
  for (const [start, end] of intervals) {
    if (end <= reachedUs) continue;
    covered += end - Math.max(start, reachedUs);
    reachedUs = end;
  }
  return covered;
}
