import {
  type Missed,
  OVERFLOW,
  type Partial,
  type PartialsMessage,
  type Series,
  type Subject,
  subjectKey,
  type TimeStep,
  type WindowsMessage,
} from '@flyball/contracts';
import { decodeSnapshot, encodeSnapshot, slotStartMs } from '@flyball/core';
import { type Entry, Frontier, type Outbox, type Processor } from '@flyball/runtime';
import type { AggregatorConfig } from './config.ts';
import { Coverage, type Voices } from './coverage.ts';
import { SeriesBudget } from './series-budget.ts';
import { SeriesSet } from './series-sum.ts';
import { type SavedStalls, Stalls } from './stalls.ts';

/** What `global` says. */
export type GlobalOut = { 'flyball.windows': WindowsMessage };

const NOTHING = { spans: 0, lateSpans: 0, earlySpans: 0, set: undefined };

/** Where a global aggregator stands in the topology. */
export interface GlobalPlace {
  /** Its own lane: `global:flyball.partials/0`. */
  readonly lane: string;
  /** Raw partitions that it waits for: `otlp_spans/0` …. Others join when first heard. */
  readonly rawPartitions: readonly string[];
}

interface KnownSubject {
  readonly subject: Subject;
  /** Start of the first window that it was heard in, ms: it gets no window before. */
  sinceMs: number;
  /** Covered time without a span, ms. */
  silentMs: number;
}

interface OpenWindow {
  spans: number;
  lateSpans: number;
  earlySpans: number;
  readonly set: SeriesSet;
}

/**
 * Second phase: merges the partials of its subjects into windows, and emits each window once, when the time of
 * every raw partition has passed its end plus the grace. A subject that was seen gets a window each period, also an
 * empty one: silence must be visible.
 */
export class GlobalAggregator implements Processor<PartialsMessage, GlobalOut> {
  readonly #config: AggregatorConfig;
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
  #budget: SeriesBudget;

  constructor(config: AggregatorConfig, { lane, rawPartitions }: GlobalPlace) {
    this.#config = config;
    this.#budget = new SeriesBudget(config.seriesMax);
    this.#lane = lane;
    this.#frontier = new Frontier(rawPartitions);
    this.#coverage = new Coverage(config);
    this.#stalls = new Stalls(config);
  }

  process({ body }: Entry<PartialsMessage>, outbox: Outbox<GlobalOut>): void {
    if (body.type === 'partial') this.#merge(body);
    else if (body.type === 'missed') this.#miss(body);
    else this.#passTime(body, outbox);
  }

  /** A partial of ours was lost: no raw partition can vouch for what is open. */
  skip(): void {
    for (const [from, atMs] of this.#times) {
      const blind = [{ fromMs: this.#closedMs ?? atMs, untilMs: atMs }];
      this.#coverage.add({ type: 'time', from, atMs, blind, refusedTenants: [], reports: [] }, atMs);
    }
  }

  #merge({ subject, startMs, spans, series }: Partial): void {
    if (this.#isClosed(startMs)) return this.#missClosed(subject, spans);
    const window = this.#window(subject, startMs);
    window.spans += spans;
    for (const each of series) window.set.of(each).merge(each);
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
    const empty = () => ({ spans: 0, lateSpans: 0, earlySpans: 0, set: new SeriesSet(this.#config, this.#budget) });
    const window = windows.get(key) ?? empty();
    windows.set(key, window);
    return window;
  }

  #know(subject: Subject): { readonly subject: Subject; readonly known: KnownSubject } {
    const key = subjectKey(subject);
    const known = this.#subjects.get(key);
    if (known !== undefined) return { subject, known };
    const isOverflow = this.#subjects.size >= this.#config.subjectsMax && subject.service !== OVERFLOW;
    if (isOverflow) return this.#know({ tenant: subject.tenant, environment: OVERFLOW, service: OVERFLOW });
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
    while (this.#closedMs < untilMs) this.#closeNext(untilMs, outbox);
  }

  /** Emits the next window of every subject. Time of which nothing is known and nothing was heard is passed over. */
  #closeNext(untilMs: number, outbox: Outbox<GlobalOut>): void {
    const { windowMs } = this.#config;
    const startMs = this.#closedMs!;
    const window = { startMs, endMs: startMs + windowMs };
    const voices = this.#voicesOf(window);
    const coverage = this.#coverage.of(window, '', voices);
    const open = this.#open.get(startMs);
    const isVoid = coverage === 0 && open === undefined;
    if (!isVoid) this.#emitWindows(window, voices, outbox);
    for (const { set } of open?.values() ?? []) set.release();
    this.#open.delete(startMs);
    this.#closedMs = window.endMs;
    // A run of void windows ends in one `closed`: it says that all up to its end is final.
    const isLast = window.endMs === untilMs || this.#open.has(window.endMs);
    if (!isVoid || isLast) {
      outbox.broadcast('flyball.windows', { type: 'closed', from: this.#lane, endMs: window.endMs, coverage });
    }
    this.#coverage.prune(window.endMs);
  }

  /** Who may vouch for a window: the raw partitions, and those of them that are down: they have not passed it. */
  #voicesOf(window: { endMs: number }): Voices {
    const passedMs = window.endMs + this.#config.graceMs;
    const origins = this.#frontier.save();
    const behind = origins.filter(([, atMs]) => atMs === null || atMs < passedMs).map(([origin]) => origin);
    return { partitions: origins.length, behind };
  }

  #emitWindows(window: { startMs: number; endMs: number }, voices: Voices, outbox: Outbox<GlobalOut>): void {
    const { windowMs, subjectTtlMs } = this.#config;
    const open = this.#open.get(window.startMs);
    for (const [key, known] of [...this.#subjects].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { subject } = known;
      if (known.sinceMs >= window.endMs) continue;
      const coverage = this.#coverage.of(window, subject.tenant, voices);
      const { spans, lateSpans, earlySpans, set } = open?.get(key) ?? NOTHING;
      const series = set?.toSeries() ?? [];
      const body = { subject, ...window, coverage, spans, lateSpans, earlySpans, series };
      outbox.emit('flyball.windows', key, { type: 'window', ...body });
      if (spans > 0) known.silentMs = 0;
      else if (coverage === 1) known.silentMs += windowMs;
      if (known.silentMs < subjectTtlMs) continue;
      this.#forget(key, known);
      outbox.emit('flyball.windows', key, { type: 'gone', subject, endMs: window.endMs });
    }
  }

  /** A subject that is gone. A raw partition that runs ahead may have heard of it again: then it begins anew with that. */
  #forget(key: string, known: KnownSubject): void {
    const later = [...this.#open].filter(([startMs, windows]) => startMs > this.#closedMs! && windows.has(key));
    if (later.length === 0) this.#subjects.delete(key);
    known.sinceMs = Math.min(Number.MAX_SAFE_INTEGER, ...later.map(([startMs]) => startMs));
    known.silentMs = 0;
  }

  snapshot(): Uint8Array {
    const open = [...this.#open]
      .sort(([a], [b]) => a - b)
      .map(([startMs, windows]) => [
        startMs,
        [...windows].map(([key, { spans, lateSpans, earlySpans, set }]) => [
          key,
          [spans, lateSpans, earlySpans],
          set.toSeries(),
        ]),
      ]);
    return encodeSnapshot({
      closedMs: this.#closedMs,
      frontier: this.#frontier.save(),
      times: [...this.#times].sort(([a], [b]) => (a < b ? -1 : 1)),
      coverage: this.#coverage.save(),
      stalls: this.#stalls.save(),
      subjects: [...this.#subjects],
      open,
    });
  }

  restore(snapshot: Uint8Array): void {
    const saved = decodeSnapshot<SavedGlobal>(snapshot);
    this.#closedMs = saved.closedMs;
    this.#frontier.restore(saved.frontier);
    this.#times = new Map(saved.times);
    this.#coverage.restore(saved.coverage);
    this.#stalls.restore(saved.stalls);
    this.#frontier.leave(this.#times.size > 0 ? this.#stalls.down(this.#times) : new Set());
    this.#subjects = new Map(saved.subjects);
    this.#budget = new SeriesBudget(this.#config.seriesMax);
    const windowsOf = (windows: SavedGlobal['open'][number][1]) =>
      new Map(
        windows.map(([key, [spans, lateSpans, earlySpans], series]) => {
          const set = new SeriesSet(this.#config, this.#budget, series);
          return [key, { spans, lateSpans, earlySpans, set }];
        }),
      );
    this.#open = new Map(saved.open.map(([startMs, windows]) => [startMs, windowsOf(windows)]));
  }
}

/** Subject, counts of spans, late and early ones, series. */
type SavedWindow = readonly [string, readonly [number, number, number], readonly Series[]];

interface SavedGlobal {
  readonly closedMs: number | null;
  readonly frontier: readonly (readonly [string, number | null])[];
  readonly times: readonly (readonly [string, number])[];
  readonly coverage: ReturnType<Coverage['save']>;
  readonly stalls: SavedStalls;
  readonly subjects: readonly (readonly [string, KnownSubject])[];
  readonly open: readonly (readonly [number, readonly SavedWindow[]])[];
}
