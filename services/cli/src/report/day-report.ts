import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CliError, EXIT } from '../cli-error.ts';
import type { ReplaySinks } from '../replay/replay-stages.ts';
import { type Page, readPages } from './pages.ts';
import { RecordedDay, tellAll } from './recorded-day.ts';
import { reportPage } from './report-page.ts';

/** Options of a replay that ask for a report. */
export interface ReportOptions {
  /** Where to write it. */
  readonly report?: string;
  /** csv of the times at which one's own pager went. */
  readonly pages?: string;
}

/** A report that a replay makes on its way. */
export class DayReport {
  readonly #file: string;
  readonly #pages: readonly Page[] | undefined;
  readonly #day = new RecordedDay();

  private constructor(file: string, pages: readonly Page[] | undefined) {
    this.#file = file;
    this.#pages = pages;
  }

  /** The report that was asked for. @throws {CliError} exit code 2 for pages that cannot be read, or have nowhere to go. */
  static of({ report, pages }: ReportOptions): DayReport | undefined {
    if (report !== undefined) return new DayReport(report, pages === undefined ? undefined : readPages(pages));
    if (pages === undefined) return undefined;
    throw new CliError('--pages is shown in a report only', 'say --report FILE.html too', EXIT.usage);
  }

  /** Listens beside others. */
  besides(sinks: ReplaySinks): ReplaySinks {
    return tellAll([sinks, this.#day.sinks]);
  }

  /** Writes the page. */
  write(sources: readonly string[], hasPolicies: boolean): void {
    const environments = this.#day.environments();
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, reportPage({ sources, environments, pages: this.#pages, hasPolicies }));
  }
}
