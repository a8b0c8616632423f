import { inert } from '@flyball/core';
import { stringify } from 'yaml';

/** How data is printed. */
export type Format = 'table' | 'json' | 'yaml';

/** A column of a table. */
export interface Column<T> {
  readonly title: string;
  readonly of: (row: T) => string | number | null;
}

/** Prints rows as asked. Standard output carries data only. */
export function printRows<T>(rows: readonly T[], columns: readonly Column<T>[], format: Format): void {
  if (format !== 'table') return printValue(rows, format);
  const cells = rows.map((row) => columns.map(({ of }) => inert(String(of(row) ?? '-'))));
  const widths = columns.map(({ title }, index) => Math.max(title.length, ...cells.map((line) => line[index]!.length)));
  const lineOf = (line: readonly string[]) =>
    `${line
      .map((cell, index) => cell.padEnd(widths[index]!))
      .join('  ')
      .trimEnd()}\n`;
  process.stdout.write(lineOf(columns.map(({ title }) => title.toUpperCase())));
  for (const line of cells) process.stdout.write(lineOf(line));
}

/** Prints one value as JSON or YAML. */
export function printValue(value: unknown, format: Format): void {
  process.stdout.write(format === 'yaml' ? stringify(value) : `${JSON.stringify(value, null, 2)}\n`);
}
