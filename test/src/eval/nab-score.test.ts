import { expect, test } from 'vitest';
import { NAB_PROFILES, type NabSeries, nabScore } from './nab-score.ts';

// Goal: nobody is told of a better detector than there is. Method: cases whose score follows from the formulae by hand.

const [standard, lowFp, lowFn] = NAB_PROFILES as [
  (typeof NAB_PROFILES)[0],
  (typeof NAB_PROFILES)[0],
  (typeof NAB_PROFILES)[0],
];
const ROWS = 1_000;
const seriesOf = (windows: [number, number][], ...detections: (readonly [number, number])[]): NabSeries => {
  const scores = new Array<number>(ROWS).fill(0);
  for (const [row, score] of detections) scores[row] = score;
  return { scores, windows };
};
const best = (series: NabSeries, profile = standard) => nabScore([series], profile, 0.5).best.score;
const sigma = (y: number) => 2 / (1 + Math.exp(5 * y)) - 1;

test('no detection is worth 0, the first row of each window 100, in every profile', () => {
  for (const profile of NAB_PROFILES) {
    expect(best(seriesOf([[400, 499]]), profile)).toBe(0);
    expect(
      best(
        seriesOf(
          [
            [400, 499],
            [700, 799],
          ],
          [400, 1],
          [700, 1],
        ),
        profile,
      ),
    ).toBeCloseTo(100, 10);
  }
});

test('a later detection in a window is worth less, and a second one nothing', () => {
  // Row 449 of [400, 499]: 51 rows are left of 100.
  const credit = sigma(-0.51) / sigma(-1);
  expect(best(seriesOf([[400, 499]], [449, 1]))).toBeCloseTo((100 * (credit + 1)) / 2, 10);
  expect(best(seriesOf([[400, 499]], [449, 1], [480, 1]))).toBeCloseTo((100 * (credit + 1)) / 2, 10);
  expect(best(seriesOf([[400, 499]], [449, 1]), lowFn)).toBeCloseTo((100 * (credit + 2)) / 3, 10);
});

test('a false alert costs all before the first window, little just behind one, all far behind', () => {
  const withFalse = (row: number, profile = standard) => best(seriesOf([[400, 499]], [400, 1], [row, 1]), profile);
  expect(withFalse(399)).toBeCloseTo(100 - (100 * 0.11) / 2, 10);
  expect(withFalse(399, lowFp)).toBeCloseTo(100 - (100 * 0.22) / 2, 10);
  expect(withFalse(500)).toBeCloseTo(100 + (100 * 0.11 * sigma(1 / 99)) / 2, 10);
  expect(withFalse(900)).toBeCloseTo(100 - (100 * 0.11) / 2, 10);
});

test('rows of the probation do not count, neither for nor against, and a window within it is lost', () => {
  expect(best(seriesOf([[400, 499]], [400, 1], [149, 1]))).toBeCloseTo(100, 10);
  expect(best(seriesOf([[400, 499]], [400, 1], [150, 1]))).toBeCloseTo(100 - (100 * 0.11) / 2, 10);
  expect(
    best(
      seriesOf(
        [
          [100, 120],
          [400, 499],
        ],
        [110, 1],
        [400, 1],
      ),
    ),
  ).toBeCloseTo(75, 10);
});

test('one threshold for the whole set: the best one, and the given one', () => {
  const set = [seriesOf([[400, 499]], [400, 0.9], [300, 0.7]), seriesOf([[600, 699]], [600, 0.6], [200, 0.4])];
  const { best, fixed } = nabScore(set, standard, 0.8);
  expect(best).toEqual({ score: expect.closeTo(100 - (100 * 0.11) / 4, 10) as number, threshold: 0.6 });
  expect(fixed).toEqual({ score: expect.closeTo(50, 10) as number, threshold: 0.8 });
  expect(nabScore(set, standard, 0.95).fixed.score).toBe(0);
});
