import { type Series, type SpanTable, type Subject, subjectKey, type View } from '@flyball/contracts';
import type { AggregatorConfig } from './config.ts';
import { SeriesBudget } from './series-budget.ts';
import { GROUPS, groupOf, SeriesSet, type SeriesSum } from './series-sum.ts';

const TEXTS_MAX = 2 ** 26;

interface SubjectEdges {
  readonly subject: Subject;
  readonly set: SeriesSet;
  spans: number;
}

/** A call from one service to another, which are numbers of subjects. */
export interface Call {
  readonly callee: number;
  readonly caller: number;
  readonly durationUs: number;
  readonly isError: boolean;
}

/**
 * What the spans of one window tell of calls and of a service's own time, by subject. Spans, subjects and names are numbers of the
 * table of spans, which stays as it is meanwhile.
 */
export class EdgeSums {
  readonly #config: AggregatorConfig;
  readonly #spans: SpanTable;
  readonly #budget: SeriesBudget;
  /** By number of the subject. */
  readonly #subjects = new Map<number, SubjectEdges>();
  /** By what {@link placeOf} makes of subject, view, name and kind. */
  readonly #sums = new Map<number, SeriesSum>();
  readonly #touched = new Set<SeriesSum>();

  constructor(config: AggregatorConfig, spans: SpanTable) {
    this.#config = config;
    this.#spans = spans;
    this.#budget = new SeriesBudget(config.seriesMax);
  }

  /** A service was called. `span` is where to look. */
  call({ callee, caller, durationUs, isError }: Call, span: number): void {
    this.#add(this.#between('caller', callee, caller), durationUs, isError, span);
  }

  /** What a call took beyond the callee's own span, µs. */
  gap(callee: number, caller: number, gapUs: number, span: number): void {
    this.#add(this.#between('gap', callee, caller), gapUs, false, span);
  }

  /** A call that failed, and that no span of the callee answered: the wait is the network's. */
  unanswered(callee: number, call: number): void {
    const [caller, durationUs] = [this.#spans.subject[call]!, this.#spans.durationUs[call]!];
    this.call({ callee, caller, durationUs, isError: true }, call);
    this.#add(this.#between('gap', callee, caller), durationUs, true, call);
  }

  /** A span's own time, µs, and whether it failed by itself. */
  self(span: number, selfUs: number, isOwnError: boolean): void {
    const { subject, name, kind, texts } = this.#spans;
    const edges = this.#of(subject[span]!);
    edges.spans += 1;
    const place = placeOf(subject[span]!, 'self', name[span]!, kind[span]!);
    const sum = this.#sums.get(place) ?? edges.set.of({ view: 'self', name: texts[name[span]!]!, kind: kind[span]! });
    this.#sums.set(place, sum);
    this.#add(sum, selfUs, isOwnError, span);
  }

  /** All sums, subjects by name. */
  take(): { readonly subject: Subject; readonly spans: number; readonly series: readonly Series[] }[] {
    for (const sum of this.#touched) sum.settle((span) => this.#spans.traceIdOf(span));
    return [...this.#subjects.values()]
      .map((edges) => ({ ...edges, key: subjectKey(edges.subject) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ subject, spans, set }) => ({ subject, spans, series: set.toSeries() }));
  }

  /** The sum of calls of one service to another. */
  #between(view: 'caller' | 'gap', callee: number, caller: number): SeriesSum {
    const place = placeOf(callee, view, caller, 0);
    const known = this.#sums.get(place);
    if (known !== undefined) return known;
    const sum = this.#of(callee).set.of({ view, name: this.#spans.subjects[caller]!.service, kind: 0 });
    this.#sums.set(place, sum);
    return sum;
  }

  #add(sum: SeriesSum, durationUs: number, isError: boolean, span: number): void {
    this.#touched.add(sum);
    sum.add(durationUs, isError, span);
  }

  #of(number: number): SubjectEdges {
    const known = this.#subjects.get(number);
    if (known !== undefined) return known;
    const edges = { subject: this.#spans.subjects[number]!, set: new SeriesSet(this.#config, this.#budget), spans: 0 };
    this.#subjects.set(number, edges);
    return edges;
  }
}

/** One number for all that names a series: below 2^53, for there are fewer than 2^26 texts and 2^20 subjects. */
function placeOf(subject: number, view: View, name: number, kind: number): number {
  return (subject * TEXTS_MAX + name) * GROUPS + groupOf({ view, kind });
}
