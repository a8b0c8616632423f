import { type Series, type Subject, subjectKey } from '@flyball/contracts';
import type { AggregatorConfig } from './config.ts';
import { SeriesBudget } from './series-budget.ts';
import { SeriesSet, type SeriesSum } from './series-sum.ts';
import type { HeldSpan } from './trace-store.ts';

interface SubjectEdges {
  readonly subject: Subject;
  readonly set: SeriesSet;
  spans: number;
}

/** A call from one service to another. */
export interface Call {
  readonly callee: Subject;
  readonly caller: string;
  readonly durationUs: number;
  readonly isError: boolean;
}

/** What the spans of one window tell of calls and of a service's own time, by subject. */
export class EdgeSums {
  readonly #config: AggregatorConfig;
  readonly #budget: SeriesBudget;
  readonly #subjects = new Map<string, SubjectEdges>();
  readonly #touched = new Set<SeriesSum>();
  readonly #exemplars: string[] = [];

  constructor(config: AggregatorConfig) {
    this.#config = config;
    this.#budget = new SeriesBudget(config.seriesMax);
  }

  /** A service was called. `span` is where to look. */
  call({ callee, caller, durationUs, isError }: Call, span: HeldSpan): void {
    const sum = this.#of(callee).set.of({ view: 'caller', name: caller, kind: 0 });
    this.#add(sum, durationUs, isError, span);
  }

  /** What a call took beyond the callee's own span, µs. */
  gap(callee: Subject, caller: string, gapUs: number, span: HeldSpan): void {
    this.#add(this.#of(callee).set.of({ view: 'gap', name: caller, kind: 0 }), gapUs, false, span);
  }

  /** A call that failed, and that no span of the callee answered: the wait is the network's. */
  unanswered(callee: Subject, call: HeldSpan): void {
    const { durationUs } = call;
    this.call({ callee, caller: call.subject.service, durationUs, isError: true }, call);
    this.#add(this.#of(callee).set.of({ view: 'gap', name: call.subject.service, kind: 0 }), durationUs, true, call);
  }

  /** A span's own time, µs, and whether it failed by itself. */
  self(span: HeldSpan, selfUs: number, isOwnError: boolean): void {
    const edges = this.#of(span.subject);
    edges.spans += 1;
    this.#add(edges.set.of({ view: 'self', name: span.name, kind: span.kind }), selfUs, isOwnError, span);
  }

  /** All sums, subjects by name. */
  take(): { readonly subject: Subject; readonly spans: number; readonly series: readonly Series[] }[] {
    for (const sum of this.#touched) sum.settle((index) => this.#exemplars[index]!);
    return [...this.#subjects]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { subject, spans, set }]) => ({ subject, spans, series: set.toSeries() }));
  }

  #add(sum: SeriesSum, durationUs: number, isError: boolean, { traceId }: HeldSpan): void {
    this.#exemplars.push(traceId);
    this.#touched.add(sum);
    sum.add(durationUs, isError, this.#exemplars.length - 1);
  }

  #of(subject: Subject): SubjectEdges {
    const key = subjectKey(subject);
    const known = this.#subjects.get(key);
    if (known !== undefined) return known;
    const edges = { subject, set: new SeriesSet(this.#config, this.#budget), spans: 0 };
    this.#subjects.set(key, edges);
    return edges;
  }
}
