import {
  isOverflow,
  type Missed,
  OVERFLOW,
  type Partial,
  type Series,
  type SignalKind,
  type Subject,
  subjectKey,
} from '@flyball/contracts';
import { slotStartMs } from '@flyball/core';
import {
  type LogScan,
  type MetricScan,
  type ScannedResource,
  SPAN_FLAW,
  SPAN_KIND,
  type TraceScan,
} from '@flyball/otlp';
import type { AggregatorConfig } from './config.ts';
import { subjectOfResource } from './resource-subject.ts';
import { SeriesBudget } from './series-budget.ts';
import type { SeriesSum } from './series-sum.ts';
import { templateOf } from './log-template.ts';
import { type SavedSum, WindowSum } from './window-sum.ts';

interface SubjectSum {
  readonly subject: Subject;
  readonly windows: Map<number, WindowSum>;
  lateSpans: number;
  earlySpans: number;
}

/** A window as releases up to line 3 saved it. */
interface SavedWindow3 {
  readonly startMs: number;
  readonly spans: number;
  readonly series: readonly Series[];
}

/** A batch as it is saved. */
export type SavedBatch = readonly {
  readonly subject: Subject;
  readonly windows: readonly (readonly [number, SavedSum] | SavedWindow3)[];
  readonly lateSpans: number;
  readonly earlySpans: number;
}[];

/**
 * What one raw partition held between two time steps, summed up by subject and window. Late and early are decided
 * here and nowhere else, from the record alone: its append time against the span's own end.
 */
export class LocalBatch {
  readonly #config: AggregatorConfig;
  readonly #kind: SignalKind;
  #subjects = new Map<string, SubjectSum>();
  #budget: SeriesBudget;

  /** @param kind - of its windows. */
  constructor(config: AggregatorConfig, kind: SignalKind) {
    this.#config = config;
    this.#kind = kind;
    this.#budget = new SeriesBudget(config.seriesMax);
  }

  /**
   * Adds all spans of a scanned request.
   *
   * @param atMs - when the log appended it.
   */
  addSpans(scan: TraceScan, tenant: string, atMs: number): void {
    const subjects = scan.resources.map((resource) => this.#subject(tenant, resource));
    // Sums of this request by resource and window. Spans of one stand together: most find the sums of the one before.
    const sums = new Map<string, RequestSums>();
    let [atBefore, startBeforeMs] = [-1, 0];
    let known: RequestSums | undefined;
    for (let span = 0; span < scan.count; span += 1) {
      const at = scan.resource[span]!;
      const subject = subjects[at]!;
      const endMs = scan.endMs[span]!;
      const startMs = this.#placeOf(subject, endMs, atMs);
      if (startMs !== undefined) {
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

  /** Adds all points of a scanned request. */
  addPoints({ resources, points }: MetricScan, tenant: string, atMs: number): void {
    const subjects = resources.map((resource) => this.#subject(tenant, resource));
    for (const point of points) {
      const subject = subjects[point.resource]!;
      const startMs = this.#placeOf(subject, point.timeMs, atMs);
      if (startMs === undefined) continue;
      const window = this.#window(subject, startMs);
      window.spans += 1;
      const { metric, unit, type, attributes, traceId, timeMs, value, count } = point;
      const { instance } = resources[point.resource]!;
      const points = [{ timeMs, startMs: point.startMs, value, count }];
      window.metrics.merge({ metric, unit, type, attributes, instance, points, traceId });
    }
  }

  /** Adds all log records of a scanned request. One without a time is of when the log took it. */
  addLogs({ resources, logs }: LogScan, tenant: string, atMs: number): void {
    const subjects = resources.map((resource) => this.#subject(tenant, resource));
    const touched = new Set<SeriesSum>();
    for (const [index, { resource, severity, body, timeMs, traceId }] of logs.entries()) {
      const subject = subjects[resource]!;
      const startMs = this.#placeOf(subject, timeMs === 0 ? atMs : timeMs, atMs);
      if (startMs === undefined) continue;
      const window = this.#window(subject, startMs);
      window.spans += 1;
      const isError = severity === 'error' || severity === 'fatal';
      const template = `${severity} ${templateOf(body)}`;
      for (const id of [{ view: 'severity', name: severity } as const, { view: 'template', name: template } as const]) {
        const sum = window.set.of({ ...id, kind: 0 });
        sum.count(isError, traceId === '' ? -1 : index);
        touched.add(sum);
      }
    }
    for (const sum of touched) sum.settle((index) => logs[index]!.traceId);
  }

  /** Start of the window of something that happened at `timeMs`; `undefined`, and it is counted, where it came late or early. */
  #placeOf(subject: SubjectSum, timeMs: number, atMs: number): number | undefined {
    const { windowMs, graceMs, earlyMs } = this.#config;
    const startMs = slotStartMs(timeMs, windowMs);
    if (timeMs > atMs + earlyMs) subject.earlySpans += 1;
    else if (atMs >= startMs + windowMs + graceMs) subject.lateSpans += 1;
    else return startMs;
    return undefined;
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
      for (const [startMs, sum] of [...windows].sort(([a], [b]) => a - b)) {
        const [spans, series, metrics] = sum.save();
        messages.push({ type: 'partial', kind: this.#kind, subject, startMs, spans, series, metrics });
      }
      if (lateSpans + earlySpans > 0) {
        messages.push({ type: 'missed', kind: this.#kind, subject, startMs: missedMs, lateSpans, earlySpans });
      }
    }
    this.#subjects = new Map();
    this.#budget = new SeriesBudget(this.#config.seriesMax);
    return messages;
  }

  save(): SavedBatch {
    return sorted(this.#subjects).map(([, { subject, windows, lateSpans, earlySpans }]) => {
      const saved = [...windows].sort(([a], [b]) => a - b).map(([startMs, sum]) => [startMs, sum.save()] as const);
      return { subject, windows: saved, lateSpans, earlySpans };
    });
  }

  restore(saved: SavedBatch): void {
    this.#subjects = new Map();
    this.#budget = new SeriesBudget(this.#config.seriesMax);
    for (const { subject, windows, lateSpans, earlySpans } of saved) {
      const sums = windows.map((saved) => {
        const [startMs, sum] = 'startMs' in saved ? [saved.startMs, [saved.spans, saved.series, []] as const] : saved;
        return [startMs, new WindowSum(this.#config, this.#budget, sum)] as const;
      });
      this.#subjects.set(subjectKey(subject), { subject, windows: new Map(sums), lateSpans, earlySpans });
    }
  }

  #subject(tenant: string, { service, environment }: ScannedResource): SubjectSum {
    const subject = subjectOfResource(tenant, { service, environment });
    const key = subjectKey(subject);
    const known = this.#subjects.get(key);
    if (known !== undefined) return known;
    if (this.#subjects.size >= this.#config.subjectsMax && !isOverflow(subject))
      return this.#subject(tenant, { service: OVERFLOW, environment: OVERFLOW, version: '', instance: '' });
    const sum = { subject, windows: new Map<number, WindowSum>(), lateSpans: 0, earlySpans: 0 };
    this.#subjects.set(key, sum);
    return sum;
  }

  #window({ windows }: SubjectSum, startMs: number): WindowSum {
    const known = windows.get(startMs);
    if (known !== undefined) return known;
    const sum = new WindowSum(this.#config, this.#budget);
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
