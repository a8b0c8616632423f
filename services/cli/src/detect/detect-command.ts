import { GAUGE_ALERT_SCORE } from '@flyball/stats';
import type { Command } from 'commander';
import type { DetectOptions } from './detect.ts';

const HELP = `
Each row is answered at once, by earlier rows only, with the code that scores a gauge of a service.
Times are RFC 3339, YYYY-MM-DD HH:MM:SS (UTC) or epoch seconds or ms; a header and further columns may be there.
The score is 0 to 1, and 0.5 where a value is worth telling of: of noise about one row in a thousand. A blank value scores 0.

Examples:
  flyball detect cpu.csv > scored.csv
  flyball detect cpu.csv | grep ',1$'                    # the alerts
  tail -f cpu.csv | flyball detect --threshold 0.6       # as rows come; fewer alerts`;

/** Adds `flyball detect`. */
export function detectCommand(root: Command): void {
  root
    .command('detect')
    .description('score a series: csv timestamp,value in, csv timestamp,value,expected,score,alert out')
    .argument('[file]', 'csv file; - or nothing: standard input')
    .option('--threshold <score>', `scores from this on are alerts, 0 to 1 (default: ${GAUGE_ALERT_SCORE})`)
    .addHelpText('after', HELP)
    .action(async (file: string | undefined, options: DetectOptions) => {
      const { detect } = await import('./detect.ts');
      return detect(file, options);
    });
}
