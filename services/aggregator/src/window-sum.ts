import type { MetricShare, Series } from '@flyball/contracts';
import type { AggregatorConfig } from './config.ts';
import { MetricSet } from './metric-set.ts';
import type { SeriesBudget } from './series-budget.ts';
import { SeriesSet } from './series-sum.ts';

/** A sum as it is saved: spans, series, metric streams. */
export type SavedSum = readonly [number, readonly Series[], readonly MetricShare[]];

/** What was heard of one subject in one window so far. */
export class WindowSum {
  /** Spans, data points or log records. */
  spans = 0;
  readonly set: SeriesSet;
  readonly metrics: MetricSet;

  constructor(config: AggregatorConfig, budget: SeriesBudget, [spans, series, metrics]: SavedSum = [0, [], []]) {
    this.spans = spans;
    this.set = new SeriesSet(config, budget, series);
    this.metrics = new MetricSet(config, budget, metrics);
  }

  save(): SavedSum {
    return [this.spans, this.set.toSeries(), this.metrics.toShares()];
  }

  /** Gives its places back: it is about to be dropped. */
  release(): void {
    this.set.release();
    this.metrics.release();
  }
}
