import { CliError } from '../cli-error.ts';

/** A row of csv: its fields as they were written, quotes included, and the line that it starts on, from 1. */
export interface CsvRow {
  readonly fields: readonly string[];
  readonly line: number;
}

/** No row of ours is longer: rather a quote that nobody closes. */
const ROW_CHARACTERS_MAX = 1_048_576;
const [QUOTE, COMMA, LF, CR, BLANK] = [0x22, 0x2c, 0x0a, 0x0d, 0x20];

/**
 * Splits text that comes in pieces into rows of csv (RFC 4180; lines end with LF, CRLF or CR), each as soon as its end
 * has come. Empty lines are passed over.
 */
export class CsvRows {
  #rest = '';
  #line = 1;

  /**
   * The rows that end in this piece.
   *
   * @throws {CliError} for a row of more than 1 MiB.
   */
  push(piece: string): CsvRow[] {
    const text = this.#line === 1 && this.#rest === '' && piece.startsWith('\uFEFF') ? piece.slice(1) : piece;
    this.#rest += text;
    return this.#take(false);
  }

  /** The last row, where no line break ends it. */
  end(): CsvRow[] {
    return this.#take(true);
  }

  #take(isEnd: boolean): CsvRow[] {
    const rows: CsvRow[] = [];
    const text = this.#rest;
    let from = 0;
    while (from < text.length) {
      const row = rowAt(text, from, isEnd);
      if (row === undefined) break;
      if (row.fields.length > 1 || row.fields[0]!.trim() !== '') rows.push({ fields: row.fields, line: this.#line });
      this.#line += row.lines;
      from = row.next;
    }
    this.#rest = text.slice(from);
    if (this.#rest.length > ROW_CHARACTERS_MAX) {
      throw new CliError(`the row on line ${this.#line} does not end within 1 MiB`, 'close the quote that it opens');
    }
    return rows;
  }
}

/** A field without its quotes and the blanks around it. */
export function unquoted(field: string): string {
  const text = field.trim();
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"')
    ? text.slice(1, -1).replaceAll('""', '"').trim()
    : text;
}

/** The row from `from` on; `undefined` while its end has not come. A quote counts as one at the start of a field only. */
function rowAt(
  text: string,
  from: number,
  isEnd: boolean,
): { fields: string[]; next: number; lines: number } | undefined {
  const fields: string[] = [];
  let [start, lines] = [from, 1];
  let [isQuoted, isBlank] = [false, true];
  for (let at = from; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (isQuoted) {
      if (character === QUOTE) isQuoted = false;
      else if (character === LF) lines += 1;
    } else if (character === QUOTE && (isBlank || text.charCodeAt(at - 1) === QUOTE)) {
      isQuoted = true;
      isBlank = false;
    } else if (character === COMMA) {
      fields.push(text.slice(start, at));
      start = at + 1;
      isBlank = true;
    } else if (character === LF || character === CR) {
      // The other half of CRLF may come with the next piece.
      if (character === CR && at + 1 === text.length && !isEnd) return undefined;
      fields.push(text.slice(start, at));
      const isPair = character === CR && text.charCodeAt(at + 1) === LF;
      return { fields, next: isPair ? at + 2 : at + 1, lines };
    } else if (character !== BLANK) isBlank = false;
  }
  if (!isEnd) return undefined;
  fields.push(text.slice(start));
  return { fields, next: text.length, lines };
}
