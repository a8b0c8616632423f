/** A series with one label a row. */
export interface LabelledSeries {
  readonly scores: readonly number[];
  readonly labels: readonly boolean[];
}

/** How the faults of a set of series were found. */
export interface EventF1 {
  readonly events: number;
  readonly found: number;
  /** Alerts outside of faults, rows. */
  readonly falseAlerts: number;
  /** 0 to 1, over rows. */
  readonly f1: number;
}

/** A fault must be found in its first so many rows after the first one. */
const DELAY_ROWS = 7;

/**
 * Delay-limited F1: a fault, a run of labelled rows, is found when an alert falls in its first 8 rows; all its rows
 * count as found then, else as missed. False alerts count one by one.
 *
 * Source: H. Si et al., "TimeSeriesBench" (arXiv 2402.10802).
 */
export function eventF1(set: readonly LabelledSeries[], threshold: number): EventF1 {
  let [events, found, foundRows, missedRows, falseAlerts] = [0, 0, 0, 0, 0];
  for (const { scores, labels } of set) {
    for (let row = 0; row < scores.length;) {
      if (labels[row] !== true) {
        if (scores[row]! >= threshold) falseAlerts += 1;
        row += 1;
        continue;
      }
      let end = row;
      while (labels[end] === true) end += 1;
      const isFound = scores.slice(row, Math.min(end, row + DELAY_ROWS + 1)).some((score) => score >= threshold);
      events += 1;
      if (isFound) found += 1;
      if (isFound) foundRows += end - row;
      else missedRows += end - row;
      row = end;
    }
  }
  const f1 = foundRows === 0 ? 0 : (2 * foundRows) / (2 * foundRows + missedRows + falseAlerts);
  return { events, found, falseAlerts, f1 };
}
