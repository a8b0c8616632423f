import type { Series } from '@flyball/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeriesSum } from './series-sum.ts';

// Goal: the numbers of a window, and the traces that it names, are those of its spans, whichever way they came: order
// and grouping must not show, or two runs over the same records would differ.

const ID = { view: 'service', name: '', kind: 0 } as const;
const span = fc.record({
  us: fc.nat(5),
  isError: fc.boolean(),
  traceId: fc.integer({ min: 1, max: 9 }).map((digit) => String(digit).repeat(32)),
  part: fc.nat(3),
});

type Span = typeof span extends fc.Arbitrary<infer Each> ? Each : never;

/** Sums of each part that heard anything, merged in the given order. */
function merged(spans: readonly Span[], order: readonly number[]): Series {
  const whole = new SeriesSum(ID);
  for (const part of order.filter((each) => spans.some((heard) => heard.part === each))) {
    const sum = new SeriesSum(ID);
    const request = spans.filter((each) => each.part === part);
    for (const [index, { us, isError }] of request.entries()) sum.add(us, isError, index);
    sum.settle((index) => request[index]!.traceId);
    whole.merge(sum.toSeries());
  }
  return whole.toSeries();
}

test('parts that are merged in any order give the same series, and name spans that are in it', () => {
  const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
  fc.assert(
    fc.property(fc.array(span, { maxLength: 12 }), order, (spans, some) => {
      const series = merged(spans, some);
      expect(series).toEqual(merged(spans, [0, 1, 2, 3]));
      const times = spans.map(({ us }) => us);
      expect(series).toMatchObject({
        count: spans.length,
        errors: spans.filter(({ isError }) => isError).length,
        sumUs: times.reduce((sum, us) => sum + us, 0),
        minUs: Math.min(...times, spans.length === 0 ? 0 : Infinity),
        maxUs: Math.max(...times, 0),
      });
      const slowest = spans.filter(({ us }) => us === series.maxUs).map(({ traceId }) => traceId);
      const failed = spans.filter(({ isError }) => isError).map(({ traceId }) => traceId);
      expect(spans.length === 0 ? [''] : slowest).toContain(series.slowestTraceId);
      expect(failed.length === 0 ? [''] : failed).toContain(series.errorTraceId);
    }),
  );
});
