import {
  type Interval,
  type PartialsMessage,
  type RawMessage,
  type SignalKind,
  subjectKey,
  type TracesMessage,
} from '@flyball/contracts';
import { decodeSnapshot, encodeSnapshot, RejectedError, slotStartMs } from '@flyball/core';
import { LogScan, MetricScan, TraceScan } from '@flyball/otlp';
import type { Entry, Outbox, Processor, SkippedEntry } from '@flyball/runtime';
import type { AggregatorConfig } from './config.ts';
import { LocalBatch, type SavedBatch } from './local-batch.ts';
import { type SavedSkeletons, SkeletonBatch } from './skeleton-batch.ts';
import { type SavedReports, WriterReports } from './writer-reports.ts';

/** What `local` says. */
export type LocalOut = { 'flyball.partials': PartialsMessage; 'flyball.traces': TracesMessage };

interface State {
  /** Log time of the partition: the greatest append time so far; `null` before the first entry. */
  atMs: number | null;
  /** Append time of the last entry. */
  lastMs: number;
  stepMs: number;
  blind: Interval[];
  refusedTenants: string[];
}

type Saved = State & {
  readonly batch: SavedBatch;
  readonly reports: SavedReports;
  /** Missing up to line 3. */
  readonly skeletons?: SavedSkeletons;
};

/** What a local aggregator reads. */
export interface LocalPlace {
  readonly kind: SignalKind;
  /** The raw partition: `otlp_spans/3`. */
  readonly from: string;
  /** Lanes of `flyball.traces`. */
  readonly lanes: number;
}

/**
 * First phase: sums up one raw partition between two time steps, and passes its time on. It alone reads telemetry, and
 * it alone decides what is late, so that no later stage depends on who was fast.
 */
export class LocalAggregator implements Processor<RawMessage, LocalOut> {
  readonly #config: AggregatorConfig;
  readonly #kind: SignalKind;
  readonly #from: string;
  readonly #spans = new TraceScan();
  readonly #points = new MetricScan();
  readonly #logs = new LogScan();
  readonly #batch: LocalBatch;
  readonly #skeletons: SkeletonBatch;
  readonly #reports: WriterReports;
  #state: State = { atMs: null, lastMs: 0, stepMs: 0, blind: [], refusedTenants: [] };

  constructor(config: AggregatorConfig, { kind, from, lanes }: LocalPlace) {
    this.#config = config;
    this.#kind = kind;
    this.#from = from;
    this.#batch = new LocalBatch(config, kind);
    this.#skeletons = new SkeletonBatch(config, lanes);
    this.#reports = new WriterReports(config);
  }

  process({ atMs, body }: Entry<RawMessage>, outbox: Outbox<LocalOut>): void {
    // A tick tells of the time before it, which must not pass before that is known: a window that has closed stays as it is.
    if (body.type === 'tick') this.#refuse(Object.keys(body.refused));
    this.#advance(atMs, outbox);
    if (body.type === 'tick') {
      this.#reports.hear(body, this.#from.slice(0, this.#from.lastIndexOf('/')), this.#state.atMs!);
      return;
    }
    try {
      this.#read(body.bytes, body.tenant);
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      return outbox.reject(error);
    }
  }

  #read(bytes: Uint8Array, tenant: string): void {
    const atMs = this.#state.atMs!;
    if (this.#kind === 'metrics') {
      this.#points.read(bytes);
      this.#batch.addPoints(this.#points, tenant, atMs);
    } else if (this.#kind === 'logs') {
      this.#logs.read(bytes);
      this.#batch.addLogs(this.#logs, tenant, atMs);
    } else {
      this.#spans.read(bytes);
      this.#batch.addSpans(this.#spans, tenant, atMs);
      this.#skeletons.add(this.#spans, tenant, atMs);
    }
  }

  #refuse(tenants: readonly string[]): void {
    this.#state.refusedTenants = [...new Set([...this.#state.refusedTenants, ...tenants])].sort();
  }

  /** What the entry held is lost: the partition cannot vouch for this instant. */
  skip({ atMs }: SkippedEntry, outbox: Outbox<LocalOut>): void {
    this.#advance(atMs, outbox);
    this.#state.blind.push({ fromMs: this.#state.atMs!, untilMs: this.#state.atMs! });
  }

  /**
   * Moves the partition's time, which never goes back. A hole between two entries, or a clock that jumped back,
   * is blindness: what happened then nobody can say. A birth is no hole.
   */
  #advance(appendedAtMs: number, outbox: Outbox<LocalOut>): void {
    const state = this.#state;
    if (state.atMs === null) {
      state.atMs = appendedAtMs;
      state.stepMs = slotStartMs(appendedAtMs, this.#config.stepMs);
    } else if (appendedAtMs - state.lastMs > this.#config.blindGapMs) {
      state.blind.push({ fromMs: Math.min(state.lastMs, state.atMs), untilMs: Math.max(appendedAtMs, state.atMs) });
    } else if (appendedAtMs < state.lastMs) {
      state.blind.push({ fromMs: appendedAtMs, untilMs: state.atMs });
    }
    state.lastMs = appendedAtMs;
    state.atMs = Math.max(state.atMs, appendedAtMs);
    const stepMs = slotStartMs(state.atMs, this.#config.stepMs);
    if (stepMs === state.stepMs) return;
    const messages = this.#batch.take(state.stepMs);
    state.stepMs = stepMs;
    for (const message of messages) outbox.emit('flyball.partials', subjectKey(message.subject), message);
    const { blind, refusedTenants } = state;
    const reports = this.#reports.take(stepMs);
    const about = { kind: this.#kind, from: this.#from, atMs: stepMs, blind, refusedTenants, reports };
    outbox.broadcast('flyball.partials', { type: 'time', ...about });
    if (this.#kind === 'traces') {
      for (const { key, message } of this.#skeletons.take()) outbox.emit('flyball.traces', key, message);
      outbox.broadcast('flyball.traces', { type: 'time', ...about });
    }
    state.blind = [];
    state.refusedTenants = [];
  }

  snapshot(): Uint8Array {
    const [batch, reports, skeletons] = [this.#batch.save(), this.#reports.save(), this.#skeletons.save()];
    return encodeSnapshot({ ...this.#state, batch, reports, skeletons });
  }

  restore(snapshot: Uint8Array): void {
    const { batch, reports, skeletons, ...state } = decodeSnapshot<Saved>(snapshot);
    this.#state = state;
    this.#reports.restore(reports);
    this.#batch.restore(batch);
    this.#skeletons.restore(skeletons ?? []);
  }
}
