import { CsvRows, timeMs, unquoted } from '@flyball/cli';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A recorded series. */
export interface Recorded {
  readonly name: string;
  readonly rows: readonly { readonly atMs: number; readonly value: number }[];
}

/** A series of which each row is labelled. */
export interface LabelledRecording extends Recorded {
  readonly labels: readonly boolean[];
}

/** A series with labelled windows, `[first row, last row]`. */
export interface WindowedRecording extends Recorded {
  readonly windows: readonly (readonly [number, number])[];
}

/** The Numenta Anomaly Benchmark, or a part of it: `labels/combined_windows.json`, and files below `data`. */
export function readNab(dir: string): WindowedRecording[] {
  const labels = JSON.parse(readFileSync(join(dir, 'labels/combined_windows.json'), 'utf8')) as Record<
    string,
    [string, string][]
  >;
  return globSync('**/*.csv', { cwd: join(dir, 'data') })
    .sort()
    .map((name) => {
      const { rows } = readSeries(join(dir, 'data', name));
      // Where clocks went back an instant comes twice: the first counts.
      const rowOf = (time: string) => rows.findIndex(({ atMs }) => atMs === timeMs(time));
      const windows = (labels[name] ?? []).map(([from, to]) => [rowOf(from), rowOf(to)] as const);
      return { name, rows, windows };
    });
}

/** Every csv below a folder, with labels in the third column where there is one. */
export function readLabelled(dir: string): LabelledRecording[] {
  return globSync('**/*.csv', { cwd: dir })
    .sort()
    .map((name) => readSeries(join(dir, name)));
}

function readSeries(path: string): LabelledRecording {
  const csv = new CsvRows();
  const [, ...rows] = [...csv.push(readFileSync(path, 'utf8')), ...csv.end()].map(({ fields }) => fields.map(unquoted));
  return {
    name: basename(path),
    rows: rows.map(([time, value]) => ({ atMs: timeMs(time!)!, value: value === '' ? NaN : Number(value) })),
    labels: rows.map(([, , label]) => Number(label ?? 0) > 0),
  };
}
