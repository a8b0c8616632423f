import {
  isOverflow,
  type MetricPoint,
  type MetricSeries,
  type Missed,
  OVERFLOW,
  type Partial,
  type PartialsMessage,
  type Subject,
  subjectKey,
  type TimeStep,
  type WindowKind,
  type WindowsMessage,
} from '@flyball/contracts';
import { MINUTE_MS, slotStartMs } from '@flyball/core';
import { Frontier, type Outbox } from '@flyball/runtime';
import type { AggregatorConfig } from './config.ts';
import { Coverage, type Voices } from './coverage.ts';
import { SeriesBudget } from './series-budget.ts';
import { type SavedSum, WindowSum } from './window-sum.ts';
import type { LastPoints } from './metric-set.ts';
import { type SavedStalls, Stalls } from './stalls.ts';

/** What `global` says. */
export type GlobalOut = { 'flyball.windows': WindowsMessage };

const NOTHING = { lateSpans: 0, earlySpans: 0, sum: undefined };
/** A stream of a metric that was silent for so long begins anew. */
const STREAM_KEPT_MS = 15 * MINUTE_MS;
/** Streams that a service is remembered by, in multiples of those in a window; whoever was silent for longest is forgotten first. */
const STREAMS_KEPT = 4;

/** What windows are made of, and for whom. */
export interface MergerPlace {
  readonly kind: WindowKind;
  /** The lane that it works for: `global:flyball.partials/0`. */
  readonly lane: string;
  /** Who is waited for: raw partitions, `otlp_spans/0` …; of edges the joiner's lanes. Others join when first heard. */
  readonly origins: readonly string[];
}

interface KnownSubject {
  readonly subject: Subject;
  /** Start of the first window that it was heard in, ms: it gets no window before. */
  sinceMs: number;
  /** Covered time without a span, ms. */
  silentMs: number;
}

interface OpenWindow {
  lateSpans: number;
  earlySpans: number;
  readonly sum: WindowSum;
}

/**
 * Merges the partials of one kind into windows, and emits each window once, when the time of every partition has passed its
 * end plus the grace. A subject whose traces were seen gets a window each period, also an empty one: silence must be visible.
 * Of other kinds silence says nothing, and there is no window without content.
 */
export class WindowMerger {
  readonly #config: AggregatorConfig;
  readonly #kind: WindowKind;
  readonly #lane: string;
  readonly #frontier: Frontier;
  readonly #coverage: Coverage;
  readonly #stalls: Stalls;
  #times = new Map<string, number>();
  #subjects = new Map<string, KnownSubject>();
  /** By start, then subject. */
  #open = new Map<number, Map<string, OpenWindow>>();
  /** Windows up to here are out; `null` before the first. */
  #closedMs: number | null = null;
  /** Last points of metric streams, by subject. */
  #last = new Map<string, LastPoints>();
  #budget: SeriesBudget;

  constructor(config: AggregatorConfig, { kind, lane, origins }: MergerPlace) {
    this.#config = config;
    this.#kind = kind;
    this.#budget = new SeriesBudget(config.seriesMax);
    this.#lane = lane;
    this.#frontier = new Frontier(origins);
    this.#coverage = new Coverage(config);
    this.#stalls = new Stalls(config);
  }

  /** Takes in a message of its kind. */
  take(message: PartialsMessage, outbox: Outbox<GlobalOut>): void {
    if (message.type === 'partial') this.#merge(message);
    else if (message.type === 'missed') this.#miss(message);
    else this.#passTime(message, outbox);
  }

  /** A partial of ours was lost: no raw partition can vouch for what is open. */
  skip(): void {
    for (const [from, atMs] of this.#times) {
      const blind = [{ fromMs: this.#closedMs ?? atMs, untilMs: atMs }];
      this.#coverage.add({ type: 'time', kind: this.#kind, from, atMs, blind, refusedTenants: [], reports: [] }, atMs);
    }
  }

  #merge({ subject, startMs, spans, series, metrics }: Partial): void {
    if (this.#isClosed(startMs)) return this.#missClosed(subject, spans);
    const window = this.#window(subject, startMs);
    window.sum.spans += spans;
    for (const each of series) window.sum.set.of(each).merge(each);
    for (const each of metrics) window.sum.metrics.merge(each);
  }

  #miss({ subject, startMs, lateSpans, earlySpans }: Missed): void {
    if (this.#isClosed(startMs)) return this.#missClosed(subject, lateSpans + earlySpans);
    const window = this.#window(subject, startMs);
    window.lateSpans += lateSpans;
    window.earlySpans += earlySpans;
  }

  #isClosed(startMs: number): boolean {
    return this.#closedMs !== null && startMs < this.#closedMs;
  }

  /** Only a raw partition that nobody waited for, because it was added since, can come after a window was closed. */
  #missClosed(subject: Subject, spans: number): void {
    this.#window(subject, this.#closedMs!).lateSpans += spans;
  }

  #window(of: Subject, startMs: number): OpenWindow {
    const { subject, known } = this.#know(of);
    known.sinceMs = Math.min(known.sinceMs, startMs);
    const windows = this.#open.get(startMs) ?? new Map<string, OpenWindow>();
    this.#open.set(startMs, windows);
    const key = subjectKey(subject);
    const empty = () => ({ lateSpans: 0, earlySpans: 0, sum: new WindowSum(this.#config, this.#budget) });
    const window = windows.get(key) ?? empty();
    windows.set(key, window);
    return window;
  }

  #know(subject: Subject): { readonly subject: Subject; readonly known: KnownSubject } {
    const key = subjectKey(subject);
    const known = this.#subjects.get(key);
    if (known !== undefined) return { subject, known };
    if (this.#subjects.size >= this.#config.subjectsMax && !isOverflow(subject))
      return this.#know({ tenant: subject.tenant, environment: OVERFLOW, service: OVERFLOW });
    const fresh = { subject, sinceMs: Number.MAX_SAFE_INTEGER, silentMs: 0 };
    this.#subjects.set(key, fresh);
    return { subject, known: fresh };
  }

  #passTime(step: TimeStep, outbox: Outbox<GlobalOut>): void {
    const { windowMs, graceMs } = this.#config;
    this.#coverage.add(step, this.#times.get(step.from) ?? step.atMs);
    this.#times.set(step.from, step.atMs);
    this.#stalls.hear(step.reports, step.atMs);
    const beforeMs = this.#frontier.atMs;
    this.#frontier.raise(step.from, step.atMs);
    this.#frontier.leave(this.#stalls.down(this.#times));
    if (this.#frontier.atMs <= beforeMs) return;
    const untilMs = slotStartMs(this.#frontier.atMs - graceMs, windowMs);
    this.#closedMs ??= Math.min(untilMs, ...this.#open.keys());
    while (this.#closedMs < untilMs) this.#closeNext(outbox);
  }

  /** Emits the next window of every subject. Time of which nothing is known and nothing was heard is passed over. */
  #closeNext(outbox: Outbox<GlobalOut>): void {
    const { windowMs, graceMs } = this.#config;
    const startMs = this.#closedMs!;
    const window = { startMs, endMs: startMs + windowMs };
    const voices = this.#voicesOf(window);
    const coverage = this.#coverage.of(window, '', voices);
    const open = this.#open.get(startMs);
    const isVoid = coverage === 0 && open === undefined;
    if (!isVoid) this.#emitWindows(window, voices, outbox);
    for (const { sum } of open?.values() ?? []) sum.release();
    this.#open.delete(startMs);
    this.#closedMs = window.endMs;
    // Of a hole that is everybody's only the end is told: how often time rests in it hangs on who was read first.
    const restMs = window.endMs + graceMs;
    const hole = { fromMs: restMs, untilMs: restMs + windowMs };
    const isTold = !isVoid || this.#open.has(window.endMs) || !this.#coverage.isHole(hole, voices.origins);
    if (isTold) {
      outbox.broadcast('flyball.windows', {
        ...{ type: 'closed', kind: this.#kind, from: this.#lane },
        ...{ endMs: window.endMs, coverage },
      });
    }
    this.#coverage.prune(window.endMs);
  }

  /** Who may vouch for a window: the raw partitions, and those of them that are down: they have not passed it. */
  #voicesOf(window: { endMs: number }): Voices {
    const passedMs = window.endMs + this.#config.graceMs;
    const origins = this.#frontier.save();
    const behind = origins.filter(([, atMs]) => atMs === null || atMs < passedMs).map(([origin]) => origin);
    return { origins: origins.map(([origin]) => origin), behind };
  }

  #emitWindows(window: { startMs: number; endMs: number }, voices: Voices, outbox: Outbox<GlobalOut>): void {
    const { windowMs, subjectTtlMs } = this.#config;
    const open = this.#open.get(window.startMs);
    for (const [key, known] of [...this.#subjects].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { subject } = known;
      if (known.sinceMs >= window.endMs) continue;
      const coverage = this.#coverage.of(window, subject.tenant, voices);
      const { lateSpans, earlySpans, sum } = open?.get(key) ?? NOTHING;
      const spans = sum?.spans ?? 0;
      if (this.#kind === 'traces' || sum !== undefined) {
        const [series, metrics] = [sum?.set.toSeries() ?? [], this.#closeMetrics(key, sum)];
        const body = { kind: this.#kind, subject, ...window, coverage, spans, lateSpans, earlySpans, series, metrics };
        outbox.emit('flyball.windows', key, { type: 'window', ...body });
      }
      if (spans > 0) known.silentMs = 0;
      else if (coverage === 1) known.silentMs += windowMs;
      if (known.silentMs < subjectTtlMs) continue;
      this.#forget(key, known);
      if (this.#kind === 'traces') outbox.emit('flyball.windows', key, { type: 'gone', subject, endMs: window.endMs });
    }
  }

  #closeMetrics(key: string, sum: WindowSum | undefined): MetricSeries[] {
    if (this.#kind !== 'metrics' || sum === undefined) return [];
    const last = this.#last.get(key) ?? new Map();
    this.#last.set(key, last);
    const series = sum.metrics.close(last);
    for (const [stream, { timeMs }] of last) if (timeMs < this.#closedMs! - STREAM_KEPT_MS) last.delete(stream);
    const surplus = last.size - STREAMS_KEPT * this.#config.metricsMax;
    if (surplus <= 0) return series;
    const byAge = ([a, { timeMs: aMs }]: [string, MetricPoint], [b, { timeMs: bMs }]: [string, MetricPoint]) =>
      aMs - bMs || (a < b ? -1 : 1);
    const oldest = [...last].sort(byAge).slice(0, surplus);
    for (const [stream] of oldest) last.delete(stream);
    return series;
  }

  /** A subject that is gone. A raw partition that runs ahead may have heard of it again: then it begins anew with that. */
  #forget(key: string, known: KnownSubject): void {
    const later = [...this.#open].filter(([startMs, windows]) => startMs > this.#closedMs! && windows.has(key));
    if (later.length === 0) {
      this.#subjects.delete(key);
      this.#last.delete(key);
    }
    known.sinceMs = Math.min(Number.MAX_SAFE_INTEGER, ...later.map(([startMs]) => startMs));
    known.silentMs = 0;
  }

  save(): SavedMerger {
    const open = [...this.#open]
      .sort(([a], [b]) => a - b)
      .map(([startMs, windows]) => {
        const saved = [...windows].map(([key, { lateSpans, earlySpans, sum }]) => {
          return [key, [lateSpans, earlySpans], sum.save()] as const;
        });
        return [startMs, saved] as const;
      });
    return {
      closedMs: this.#closedMs,
      frontier: this.#frontier.save(),
      times: [...this.#times].sort(([a], [b]) => (a < b ? -1 : 1)),
      coverage: this.#coverage.save(),
      stalls: this.#stalls.save(),
      subjects: [...this.#subjects],
      last: [...this.#last].map(([key, points]) => [key, [...points]] as const),
      open,
    };
  }

  restore(saved: SavedMerger): void {
    this.#closedMs = saved.closedMs;
    this.#frontier.restore(saved.frontier);
    this.#times = new Map(saved.times);
    this.#coverage.restore(saved.coverage);
    this.#stalls.restore(saved.stalls);
    this.#frontier.leave(this.#times.size > 0 ? this.#stalls.down(this.#times) : new Set());
    this.#subjects = new Map(saved.subjects);
    this.#last = new Map(saved.last.map(([key, points]) => [key, new Map(points)]));
    this.#budget = new SeriesBudget(this.#config.seriesMax);
    const windowsOf = (windows: readonly SavedWindow[]) =>
      new Map(
        windows.map(([key, [lateSpans, earlySpans], sum]) => {
          return [key, { lateSpans, earlySpans, sum: new WindowSum(this.#config, this.#budget, sum) }];
        }),
      );
    this.#open = new Map(saved.open.map(([startMs, windows]) => [startMs, windowsOf(windows)]));
  }
}

/** Subject, late and early ones, what was heard. */
type SavedWindow = readonly [string, readonly [number, number], SavedSum];

/** A merger as it is saved. */
export interface SavedMerger {
  readonly closedMs: number | null;
  readonly frontier: readonly (readonly [string, number | null])[];
  readonly times: readonly (readonly [string, number])[];
  readonly coverage: ReturnType<Coverage['save']>;
  readonly stalls: SavedStalls;
  readonly subjects: readonly (readonly [string, KnownSubject])[];
  readonly last: readonly (readonly [string, readonly (readonly [string, MetricPoint])[]])[];
  readonly open: readonly (readonly [number, readonly SavedWindow[]])[];
}
