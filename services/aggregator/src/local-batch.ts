import {
  DEFAULT_ENVIRONMENT,
  type Missed,
  OVERFLOW,
  type Partial,
  type Series,
  type Subject,
  subjectKey,
  UNKNOWN_SERVICE,
} from '@flyball/contracts';
import { slotStartMs } from '@flyball/core';
import { type ScannedResource, SPAN_FLAW, SPAN_KIND, type TraceScan } from '@flyball/otlp';
import type { AggregatorConfig } from './config.ts';
import { SeriesBudget } from './series-budget.ts';
import { SeriesSet, type SeriesSum } from './series-sum.ts';

interface SubjectSum {
  readonly subject: Subject;
  readonly windows: Map<number, WindowSum>;
  lateSpans: number;
  earlySpans: number;
}

interface WindowSum {
  spans: number;
  readonly set: SeriesSet;
}

/** A batch as it is saved. */
export type SavedBatch = readonly {
  readonly subject: Subject;
  readonly windows: readonly { readonly startMs: number; readonly spans: number; readonly series: readonly Series[] }[];
  readonly lateSpans: number;
  readonly earlySpans: number;
}[];

/**
 * What one raw partition held between two time steps, summed up by subject and window. Late and early are decided
 * here and nowhere else, from the record alone: its append time against the span's own end.
 */
export class LocalBatch {
  readonly #config: AggregatorConfig;
  #subjects = new Map<string, SubjectSum>();
  #budget: SeriesBudget;

  constructor(config: AggregatorConfig) {
    this.#config = config;
    this.#budget = new SeriesBudget(config.seriesMax);
  }

  /**
   * Adds all spans of a scanned request.
   *
   * @param atMs - when the log appended it.
   */
  add(scan: TraceScan, tenant: string, atMs: number): void {
    const { windowMs, graceMs, earlyMs } = this.#config;
    const subjects = scan.resources.map((resource) => this.#subject(tenant, resource));
    // Sums of this request by resource and window. Spans of one stand together: most find the sums of the one before.
    const sums = new Map<string, RequestSums>();
    let [atBefore, startBeforeMs] = [-1, 0];
    let known: RequestSums | undefined;
    for (let span = 0; span < scan.count; span += 1) {
      const at = scan.resource[span]!;
      const subject = subjects[at]!;
      const endMs = scan.endMs[span]!;
      const startMs = slotStartMs(endMs, windowMs);
      if (endMs > atMs + earlyMs) subject.earlySpans += 1;
      else if (atMs >= startMs + windowMs + graceMs) subject.lateSpans += 1;
      else {
        if (known === undefined || at !== atBefore || startMs !== startBeforeMs) {
          const place = `${at}@${startMs}`;
          known = sums.get(place) ?? new RequestSums(this.#window(subject, startMs), scan.resources[at]!);
          sums.set(place, known);
          [atBefore, startBeforeMs] = [at, startMs];
        }
        known.add(scan, span);
      }
    }
    for (const each of sums.values()) each.settle((span) => scan.traceIdOf(span));
  }

  /**
   * Takes out what was summed up: a partial per subject and window, then what was missed; subjects by name.
   *
   * @param stepMs - start of the time step in which it came, ms.
   */
  take(stepMs: number): (Partial | Missed)[] {
    const missedMs = slotStartMs(stepMs, this.#config.windowMs);
    const messages: (Partial | Missed)[] = [];
    for (const [, { subject, windows, lateSpans, earlySpans }] of sorted(this.#subjects)) {
      for (const [startMs, { spans, set }] of [...windows].sort(([a], [b]) => a - b)) {
        messages.push({ type: 'partial', subject, startMs, spans, series: set.toSeries() });
      }
      if (lateSpans + earlySpans > 0) {
        messages.push({ type: 'missed', subject, startMs: missedMs, lateSpans, earlySpans });
      }
    }
    this.#subjects = new Map();
    this.#budget = new SeriesBudget(this.#config.seriesMax);
    return messages;
  }

  save(): SavedBatch {
    return sorted(this.#subjects).map(([, { subject, windows, lateSpans, earlySpans }]) => {
      const saved = [...windows]
        .sort(([a], [b]) => a - b)
        .map(([startMs, { spans, set }]) => {
          return { startMs, spans, series: set.toSeries() };
        });
      return { subject, windows: saved, lateSpans, earlySpans };
    });
  }

  restore(saved: SavedBatch): void {
    this.#subjects = new Map();
    this.#budget = new SeriesBudget(this.#config.seriesMax);
    for (const { subject, windows, lateSpans, earlySpans } of saved) {
      const sums = windows.map(({ startMs, spans, series }) => {
        return [startMs, { spans, set: new SeriesSet(this.#config, this.#budget, series) }] as const;
      });
      this.#subjects.set(subjectKey(subject), { subject, windows: new Map(sums), lateSpans, earlySpans });
    }
  }

  #subject(tenant: string, { service, environment }: ScannedResource): SubjectSum {
    const subject = {
      tenant,
      environment: environment === '' ? DEFAULT_ENVIRONMENT : environment,
      service: service === '' ? UNKNOWN_SERVICE : service,
    };
    const key = subjectKey(subject);
    const known = this.#subjects.get(key);
    if (known !== undefined) return known;
    const isOverflow = this.#subjects.size >= this.#config.subjectsMax && service !== OVERFLOW;
    if (isOverflow)
      return this.#subject(tenant, { service: OVERFLOW, environment: OVERFLOW, version: '', instance: '' });
    const sum = { subject, windows: new Map<number, WindowSum>(), lateSpans: 0, earlySpans: 0 };
    this.#subjects.set(key, sum);
    return sum;
  }

  #window({ windows }: SubjectSum, startMs: number): WindowSum {
    const known = windows.get(startMs);
    if (known !== undefined) return known;
    const sum = { spans: 0, set: new SeriesSet(this.#config, this.#budget) };
    windows.set(startMs, sum);
    return sum;
  }
}

/** Sums of one request, resource and window. */
class RequestSums {
  readonly #window: WindowSum;
  readonly #operations = new Map<number, SeriesSum>();
  /** The series that count requests: service, and version and instance where the resource names them. */
  readonly #requests: SeriesSum[] = [];
  readonly #resource: ScannedResource;

  constructor(window: WindowSum, resource: ScannedResource) {
    this.#window = window;
    this.#resource = resource;
  }

  add(scan: TraceScan, span: number): void {
    this.#window.spans += 1;
    const kind = scan.kind[span]!;
    const durationUs = scan.durationUs[span]!;
    const isError = scan.isError[span] === 1;
    const exemplar = scan.flaw[span] === SPAN_FLAW.traceId ? -1 : span;
    const place = scan.name[span]! * 8 + kind;
    let operation = this.#operations.get(place);
    if (operation === undefined) {
      operation = this.#window.set.of({ view: 'operation', name: scan.nameOf(span), kind });
      this.#operations.set(place, operation);
    }
    operation.add(durationUs, isError, exemplar);
    // A request is where work enters a service: a server or consumer span, or the first span of a trace.
    const isRequest = kind === SPAN_KIND.server || kind === SPAN_KIND.consumer || scan.isRoot[span] === 1;
    if (!isRequest) return;
    if (this.#requests.length === 0) this.#openRequests();
    for (const sum of this.#requests) sum.add(durationUs, isError, exemplar);
  }

  /** Ends the request. */
  settle(traceIdOf: (span: number) => string): void {
    for (const sum of this.#operations.values()) sum.settle(traceIdOf);
    for (const sum of this.#requests) sum.settle(traceIdOf);
  }

  #openRequests(): void {
    const { set } = this.#window;
    const { version, instance } = this.#resource;
    this.#requests.push(set.of({ view: 'service', name: '', kind: 0 }));
    if (version !== '') this.#requests.push(set.of({ view: 'version', name: version, kind: 0 }));
    if (instance !== '') this.#requests.push(set.of({ view: 'instance', name: instance, kind: 0 }));
  }
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
