import { benchEmbeddedLog } from './embedded-log.ts';
import { line } from './measure.ts';
import { benchScanner } from './scanner.ts';

// `npm run bench`: what a CPU-second buys. Machines differ and are shared: believe the ratios within one run.

for (const bench of [benchScanner, benchEmbeddedLog]) {
  for (const finding of await bench()) process.stdout.write(line(finding));
}
