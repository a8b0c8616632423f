/** A series as the benchmark judges it. */
export interface NabSeries {
  /** One score a row, 0 to 1. */
  readonly scores: readonly number[];
  /** Labelled windows `[first row, last row]`, both in, ascending. */
  readonly windows: readonly (readonly [number, number])[];
}

/** What a hit, a miss and a false alert are worth. */
export interface NabProfile {
  readonly name: string;
  readonly hit: number;
  readonly miss: number;
  readonly falseAlert: number;
}

/** Score of a set of series: 0 is that of a detector that never alerts, 100 that of a perfect one. */
export interface NabScore {
  readonly score: number;
  readonly threshold: number;
}

/** The benchmark's three profiles. */
export const NAB_PROFILES: readonly NabProfile[] = [
  { name: 'standard', hit: 1, miss: 1, falseAlert: 0.11 },
  { name: 'low FP', hit: 1, miss: 1, falseAlert: 0.22 },
  { name: 'low FN', hit: 1, miss: 2, falseAlert: 0.11 },
];

const PROBATION_RATIO = 0.15;
const PROBATION_ROWS_MAX = 0.15 * 5_000;
/** Above every score: nothing is detected. */
const THRESHOLD_NEVER = 1.1;

/** Worth of a detection at a place relative to a window: -1 is its first row, 0 its end, 3 and more far behind. */
function placeWorth(place: number): number {
  return place > 3 ? -1 : 2 / (1 + Math.exp(5 * place)) - 1;
}

interface Row {
  readonly score: number;
  readonly credit: number;
  /** Which window of all it is in; `undefined` outside. */
  readonly window: string | undefined;
}

/** Rows that count, each with what a detection in it would be worth. */
function rowsOf({ scores, windows }: NabSeries, series: number, profile: NabProfile): Row[] {
  const probation = Math.min(Math.floor(PROBATION_RATIO * scores.length), PROBATION_ROWS_MAX);
  const rows: Row[] = [];
  let index = 0;
  for (let row = 0; row < scores.length; row += 1) {
    while (index < windows.length && row > windows[index]![1]) index += 1;
    if (row < probation) continue;
    const score = scores[row]!;
    const [first, last] = windows[index] ?? [Infinity, Infinity];
    const before = windows[index - 1];
    if (row >= first) {
      const place = -(last - row + 1) / (last - first + 1);
      const credit = (profile.hit * placeWorth(place)) / placeWorth(-1);
      rows.push({ score, credit, window: `${series}/${index}` });
    } else if (before === undefined) rows.push({ score, credit: -profile.falseAlert, window: undefined });
    else {
      const credit = profile.falseAlert * placeWorth((row - before[1]) / (before[1] - before[0]));
      rows.push({ score, credit, window: undefined });
    }
  }
  return rows;
}

/**
 * Score of a set of series by the Numenta Anomaly Benchmark: at the threshold that suits the set best (which nobody
 * knows in advance), and at a given one.
 *
 * Source: numenta/NAB, `nab/sweeper.py`, `nab/scorer.py`, `config/profiles.json`.
 */
export function nabScore(
  set: readonly NabSeries[],
  profile: NabProfile,
  threshold: number,
): { readonly best: NabScore; readonly fixed: NabScore } {
  const rows = set.flatMap((series, index) => rowsOf(series, index, profile)).sort((a, b) => b.score - a.score);
  const windows = set.reduce((sum, series) => sum + series.windows.length, 0);
  const judged = new Set(rows.flatMap(({ window }) => window ?? []));
  const normal = (sum: number) => (100 * (sum + profile.miss * windows)) / ((profile.hit + profile.miss) * windows);
  let sum = -profile.miss * judged.size;
  let best = { score: normal(sum), threshold: THRESHOLD_NEVER };
  let fixed = normal(sum);
  const hits = new Map<string, number>();
  for (let next = 0; next < rows.length;) {
    const at = rows[next]!.score;
    for (; next < rows.length && rows[next]!.score === at; next += 1) {
      const { credit, window } = rows[next]!;
      if (window === undefined) sum += credit;
      else {
        const known = hits.get(window) ?? -profile.miss;
        hits.set(window, Math.max(known, credit));
        sum += hits.get(window)! - known;
      }
    }
    if (at >= threshold) fixed = normal(sum);
    if (normal(sum) > best.score) best = { score: normal(sum), threshold: at };
  }
  return { best, fixed: { score: fixed, threshold } };
}
