import { newGauge, scoreGauge } from '@flyball/stats';
import { CliError } from '../cli-error.ts';
import { type CsvRow, unquoted } from './csv-rows.ts';
import { plainNumber } from './plain-number.ts';
import { timeMs } from './row-time.ts';

/** First line of what `flyball detect` writes. */
export const DETECT_HEADER = 'timestamp,value,expected,score,alert\n';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** How exporters write a value that is not there, or that nothing can be measured by. */
const MISSING = /^(|nan|null|na|n\/a|none|[+-]?inf(inity)?)$/i;
const SCORE_DECIMALS = 6;

/** Answers the rows of one series, one by one, with the code that scores the gauge of a window. */
export class RowDetector {
  readonly #gauge = newGauge();
  readonly #threshold: number;
  #columns: { readonly time: number; readonly value: number } | undefined;

  /** @param threshold - scores from this on are alerts, 0 to 1. */
  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /**
   * The answer to a row, a line; to a header, an empty text.
   *
   * @throws {CliError} for a row that cannot be read, with its line.
   */
  answer(row: CsvRow): string {
    if (this.#columns === undefined) {
      const [first = '', second = ''] = row.fields.map(unquoted);
      this.#columns = { time: 0, value: 1 };
      if (timeMs(first) === undefined && !NUMBER.test(second) && !MISSING.test(second)) {
        this.#columns = columnsOf(row.fields);
        return '';
      }
    }
    const { time, value } = this.#columns;
    const [rawTime, rawValue] = [row.fields[time], row.fields[value]];
    if (rawTime === undefined || rawValue === undefined) {
      throw badRow(row, `a timestamp and a value are needed`);
    }
    const atMs = timeMs(unquoted(rawTime));
    if (atMs === undefined) throw badRow(row, `"${unquoted(rawTime)}" is no time`);
    const number = numberOf(row, unquoted(rawValue));
    const { expected, score } = scoreGauge(this.#gauge, { atMs, value: number });
    const told = score.toFixed(SCORE_DECIMALS);
    const alert = Number.isFinite(number) && Number(told) >= this.#threshold ? 1 : 0;
    return `${rawTime},${rawValue},${expected === null ? '' : plainNumber(expected)},${told},${alert}\n`;
  }
}

/** Columns by the names of a header, wherever they are; else the first two. */
function columnsOf(header: readonly string[]): { readonly time: number; readonly value: number } {
  const names = header.map((field) => unquoted(field).toLowerCase());
  const [time, value] = [names.indexOf('timestamp'), names.indexOf('value')];
  return time >= 0 && value >= 0 ? { time, value } : { time: 0, value: 1 };
}

function numberOf(row: CsvRow, text: string): number {
  if (MISSING.test(text)) return NaN;
  const value = Number(text);
  if (!NUMBER.test(text) || !Number.isFinite(value)) throw badRow(row, `"${text}" is no finite number`);
  return value;
}

function badRow({ line }: CsvRow, problem: string): CliError {
  return new CliError(
    `line ${line} cannot be read: ${problem}`,
    'give rows of timestamp,value: times RFC 3339, YYYY-MM-DD HH:MM:SS or epoch seconds or ms; a missing value is blank',
  );
}
