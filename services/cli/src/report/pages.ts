import type { Incident } from '@flyball/contracts';
import { MINUTE_MS } from '@flyball/core';
import { readFileSync } from 'node:fs';
import { CliError, EXIT } from '../cli-error.ts';
import { CsvRows, unquoted } from '../detect/csv-rows.ts';
import { timeMs } from '../detect/row-time.ts';

/** A time at which your own pager went. */
export interface Page {
  readonly atMs: number;
  /** '' where the file does not say. */
  readonly service: string;
}

/** A page, and the incident that is about the same; `undefined` where there is none. */
export interface MatchedPage extends Page {
  readonly incident: Incident | undefined;
}

/** A page may come so long before an incident opens, or after it was closed, and still be about it. */
const REACH_MS = 30 * MINUTE_MS;

/**
 * Reads `timestamp[,service]`, one page a line, with or without a header; further columns are ignored.
 *
 * @throws {CliError} exit code 2 for a file that is not there, and a row whose time cannot be read.
 */
export function readPages(file: string): readonly Page[] {
  const fix = 'write "2026-01-05T09:12:00Z,checkout", one page a line';
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new CliError(`no file ${file}`, `name a file with --pages; ${fix}`, EXIT.usage);
  }
  const csv = new CsvRows();
  const rows = [...csv.push(text), ...csv.end()];
  const pages = rows.flatMap(({ fields, line }, index): Page[] => {
    const [time = '', service = ''] = fields.map(unquoted);
    const atMs = timeMs(time);
    if (atMs !== undefined) return [{ atMs, service }];
    // The first row may name the columns.
    if (index === 0 && !/^\d/.test(time)) return [];
    throw new CliError(`${file}:${line}: no time: ${time}`, fix, EXIT.usage);
  });
  return pages.sort((a, b) => a.atMs - b.atMs);
}

/**
 * Finds for each page the incident that is about the same: the nearest in time of those that name its service, else, for a page
 * without a service, the nearest of all.
 */
export function matchPages(pages: readonly Page[], incidents: readonly Incident[]): readonly MatchedPage[] {
  return pages.map((page) => {
    const near = incidents
      .filter((incident) => isNear(page, incident) && isAbout(page, incident))
      .sort((a, b) => Math.abs(a.openedAtMs - page.atMs) - Math.abs(b.openedAtMs - page.atMs));
    return { ...page, incident: near[0] };
  });
}

function isNear({ atMs }: Page, { openedAtMs, closedAtMs }: Incident): boolean {
  return atMs >= openedAtMs - REACH_MS && atMs <= (closedAtMs ?? Infinity) + REACH_MS;
}

function isAbout({ service }: Page, { causes, signals }: Incident): boolean {
  return service === '' || [...causes, ...signals].some(({ subject }) => subject.service === service);
}
