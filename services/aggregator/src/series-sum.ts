import { OVERFLOW, type Series, type SeriesId, type View, VIEWS } from '@flyball/contracts';
import { SEVERITIES } from '@flyball/otlp';
import { DurationSketch } from '@flyball/stats';
import type { AggregatorConfig } from './config.ts';
import type { SeriesBudget } from './series-budget.ts';

/** One series that is being summed up. Merging is associative and commutative, but for which exemplar is kept. */
export class SeriesSum {
  readonly id: SeriesId;
  #count = 0;
  #errors = 0;
  #sumUs = 0;
  #minUs = Infinity;
  #maxUs = -1;
  #sketch = new DurationSketch();
  #slowestTraceId = '';
  #errorTraceId = '';
  /** Spans of the present request that are to be exemplars; -1 for none. */
  #slowestSpan = -1;
  #errorSpan = -1;

  constructor(id: SeriesId) {
    this.id = id;
  }

  /**
   * Adds a span of the present request, which {@link settle} ends.
   *
   * @param span - its place there; -1 when its trace has no name.
   */
  add(durationUs: number, isError: boolean, span: number): void {
    this.#count += 1;
    this.#sumUs += durationUs;
    this.#sketch.add(durationUs);
    if (durationUs < this.#minUs) this.#minUs = durationUs;
    if (durationUs > this.#maxUs) {
      this.#maxUs = durationUs;
      this.#slowestTraceId = '';
      this.#slowestSpan = span;
    }
    if (!isError) return;
    this.#errors += 1;
    if (this.#errorTraceId === '' && this.#errorSpan < 0) this.#errorSpan = span;
  }

  /** Counts something that takes no time, such as a log record. */
  count(isError: boolean, span: number): void {
    this.#count += 1;
    if (!isError) return;
    this.#errors += 1;
    if (this.#errorTraceId === '' && this.#errorSpan < 0) this.#errorSpan = span;
  }

  /** The request is over: asks for the trace ids of those spans of it that have become exemplars. */
  settle(traceIdOf: (span: number) => string): void {
    if (this.#slowestSpan >= 0) this.#slowestTraceId = traceIdOf(this.#slowestSpan);
    if (this.#errorSpan >= 0) this.#errorTraceId = traceIdOf(this.#errorSpan);
    this.#slowestSpan = -1;
    this.#errorSpan = -1;
  }

  /** Adds another share of the same series. Of two equally slow spans the lesser trace id is kept: order must not show. */
  merge(series: Series): void {
    this.#count += series.count;
    this.#errors += series.errors;
    this.#sumUs += series.sumUs;
    this.#sketch.merge(series.sketch);
    this.#minUs = Math.min(this.#minUs, series.minUs);
    if (series.maxUs > this.#maxUs) this.#slowestTraceId = series.slowestTraceId;
    else if (series.maxUs === this.#maxUs) this.#slowestTraceId = lesser(this.#slowestTraceId, series.slowestTraceId);
    this.#maxUs = Math.max(this.#maxUs, series.maxUs);
    this.#errorTraceId = lesser(this.#errorTraceId, series.errorTraceId);
  }

  /** The sum so far. */
  toSeries(): Series {
    return {
      ...this.id,
      count: this.#count,
      errors: this.#errors,
      sumUs: this.#sumUs,
      minUs: this.#minUs === Infinity ? 0 : this.#minUs,
      maxUs: Math.max(0, this.#maxUs),
      sketch: this.#sketch.toData(),
      slowestTraceId: this.#slowestTraceId,
      errorTraceId: this.#errorTraceId,
    };
  }
}

function lesser(a: string, b: string): string {
  if (a === '' || b === '') return a + b;
  return a < b ? a : b;
}

/**
 * The series of one subject and window, each view within its limit and all within the lane's budget; the rest is
 * summed under `(overflow)`. The service itself and the overflows are always there.
 */
export class SeriesSet {
  readonly #limits: Readonly<Record<View, number>>;
  readonly #budget: SeriesBudget;
  /** By view and kind, as {@link groupOf} makes one number of them, then by name: a text made of all three would cost more than the sum. */
  readonly #sums = new Map<number, Map<string, SeriesSum>>();
  readonly #counts = Object.fromEntries(VIEWS.map((view) => [view, 0])) as Record<View, number>;

  constructor(
    { operationsMax, versionsMax, instancesMax, callersMax, templatesMax }: AggregatorConfig,
    budget: SeriesBudget,
    saved: readonly Series[] = [],
  ) {
    this.#budget = budget;
    this.#limits = {
      ...{ service: 1, operation: operationsMax, version: versionsMax, instance: instancesMax },
      ...{ caller: callersMax, gap: callersMax, self: operationsMax },
      ...{ severity: SEVERITIES.length, template: templatesMax },
    };
    for (const series of saved) this.of(series).merge(series);
  }

  /** The sum of a series, or of its view's overflow where the limit is reached. */
  of(id: SeriesId): SeriesSum {
    const group = groupOf(id);
    const byName = this.#sums.get(group) ?? new Map<string, SeriesSum>();
    const known = byName.get(id.name);
    if (known !== undefined) return known;
    const isCounted = isBudgeted(id);
    if (isCounted && (this.#counts[id.view] >= this.#limits[id.view] || !this.#budget.take())) {
      return this.of({ view: id.view, name: OVERFLOW, kind: 0 });
    }
    if (isCounted) this.#counts[id.view] += 1;
    const sum = new SeriesSum({ view: id.view, name: id.name, kind: id.kind });
    byName.set(id.name, sum);
    this.#sums.set(group, byName);
    return sum;
  }

  /** Gives the places of its series back: it is about to be dropped. */
  release(): void {
    for (const count of Object.values(this.#counts)) this.#budget.free(count);
  }

  /** All series, by view, name and kind: the same spans always give the same list. */
  toSeries(): Series[] {
    const sums = [...this.#sums.values()].flatMap((byName) => [...byName.values()]);
    return sums.sort((a, b) => order(a.id, b.id)).map((sum) => sum.toSeries());
  }
}

function isBudgeted({ view, name }: SeriesId): boolean {
  return view !== 'service' && name !== OVERFLOW;
}

const VIEW_NUMBERS = Object.fromEntries(VIEWS.map((view, number) => [view, number])) as Record<View, number>;
/** Span kinds are 0 to 5. */
const KINDS = 6;

/** How many numbers {@link groupOf} has. */
export const GROUPS = VIEWS.length * KINDS;

/** One number, below {@link GROUPS}, for view and kind of a series. */
export function groupOf({ view, kind }: Pick<SeriesId, 'view' | 'kind'>): number {
  return VIEW_NUMBERS[view] * KINDS + kind;
}

function order(a: SeriesId, b: SeriesId): number {
  if (a.view !== b.view) return a.view < b.view ? -1 : 1;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.kind - b.kind;
}
