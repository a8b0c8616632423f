import { GAUGE_ALERT_SCORE } from '@flyball/stats';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { CliError, EXIT } from '../cli-error.ts';
import { type CsvRow, CsvRows } from './csv-rows.ts';
import { DETECT_HEADER, RowDetector } from './row-detector.ts';

/** Options of `flyball detect` as the command line gives them. */
export interface DetectOptions {
  readonly threshold?: string;
}

/**
 * Scores the rows of a csv file, or of standard input, and writes each answer before the next row is needed. A file
 * and standard input give the same bytes. A reader that goes away ends it quietly.
 *
 * @throws {CliError} for a row that cannot be read, when those before it are answered.
 */
export async function detect(file: string | undefined, { threshold }: DetectOptions): Promise<void> {
  const detector = new RowDetector(threshold === undefined ? GAUGE_ALERT_SCORE : thresholdOf(threshold));
  const output = new Output();
  let header = DETECT_HEADER;
  const answer = async (rows: readonly CsvRow[]) => {
    let answers = header;
    header = '';
    try {
      for (const row of rows) answers += detector.answer(row);
    } finally {
      await output.write(answers);
    }
  };
  const rows = new CsvRows();
  for await (const piece of piecesOf(file)) {
    if (output.isGone) return;
    await answer(rows.push(piece));
  }
  await answer(rows.end());
}

/** Standard output, written no faster than it is read. */
class Output {
  isGone = false;

  constructor() {
    process.stdout.on('error', () => (this.isGone = true));
  }

  async write(text: string): Promise<void> {
    if (text === '' || this.isGone || process.stdout.write(text)) return;
    await once(process.stdout, 'drain').catch(() => (this.isGone = true));
  }
}

async function* piecesOf(file: string | undefined): AsyncGenerator<string> {
  const isFile = file !== undefined && file !== '-';
  const input: Readable = isFile ? createReadStream(file) : process.stdin;
  input.setEncoding('utf8');
  const pieces = input[Symbol.asyncIterator]() as AsyncIterator<string>;
  for (;;) {
    const next = await pieces.next().catch((error: NodeJS.ErrnoException) => {
      throw new CliError(
        `${isFile ? file : 'standard input'} cannot be read: ${error.code ?? error.message}`,
        'name a csv file, or give - for standard input',
      );
    });
    if (next.done === true) return;
    yield next.value;
  }
}

function thresholdOf(text: string): number {
  const threshold = Number(text);
  if (text.trim() === '' || !(threshold >= 0 && threshold <= 1)) {
    throw new CliError(`"${text}" is no threshold`, 'give --threshold a number from 0 to 1', EXIT.usage);
  }
  return threshold;
}
