import { type Objective, OVERFLOW, type Series, type View, type Window } from '@flyball/contracts';
import { DurationSketch, type SketchData } from '@flyball/stats';

/** What a window says of one stream of requests. */
export interface Sample {
  readonly requests: number;
  readonly errors: number;
  readonly sketch: SketchData;
  /** Trace id of a failed request, hex, or ''. */
  readonly errorTraceId: string;
  /** Trace id of the slowest request, hex, or ''. */
  readonly slowestTraceId: string;
}

const NOTHING: Sample = {
  requests: 0,
  errors: 0,
  sketch: { zeroCount: 0, offset: 0, counts: [] },
  errorTraceId: '',
  slowestTraceId: '',
};

/** Requests of the service as a whole. */
export function serviceSample({ series }: Window): Sample {
  const found = series.find(({ view }) => view === 'service');
  return found === undefined ? NOTHING : sampleOf(found);
}

/** Requests of each version that is named. */
export function versionSamples({ series }: Window): ReadonlyMap<string, Sample> {
  const versions = series.filter(({ view, name }) => view === 'version' && name !== '' && name !== OVERFLOW);
  return new Map(versions.map((each) => [each.name, sampleOf(each)]));
}

/** Whether a view had more series than its limit, so that what is said of one of them may be a part only. */
export function isOverflowed({ series }: Window, of: View): boolean {
  return series.some(({ view, name }) => view === of && name === OVERFLOW);
}

/** Requests that took longer than `us`. */
export function slowerThan({ sketch }: Sample, us: number): number {
  return Math.round(DurationSketch.from(sketch).countAbove(us));
}

/** Requests that are not good by an objective: failed ones, or those that took too long. */
export function badOf(sample: Sample, { sli, thresholdMs }: Pick<Objective, 'sli' | 'thresholdMs'>): number {
  return sli === 'errors' || thresholdMs === null ? sample.errors : slowerThan(sample, thresholdMs * 1_000);
}

/** A quantile of a sample in ms, or `null` where there is no request. */
export function quantileMs({ sketch, requests }: Sample, q: number): number | null {
  return requests === 0 ? null : DurationSketch.from(sketch).quantile(q) / 1_000;
}

/** A series as a stream of requests. */
export function sampleOf({ count, errors, sketch, errorTraceId, slowestTraceId }: Series): Sample {
  return { requests: count, errors, sketch, errorTraceId, slowestTraceId };
}
