import { benchAggregator } from './aggregator.ts';
import { benchArchive } from './archive.ts';
import { benchEmbeddedLog } from './embedded-log.ts';
import { line } from './measure.ts';
import { benchScanner } from './scanner.ts';
import { benchCardinality, benchWholeProcess } from './whole-process.ts';

// `npm run bench [-- NAME …]`: what a CPU-second buys. Machines differ and are shared: believe the ratios within one run.

const BENCHES = {
  scanner: benchScanner,
  aggregator: benchAggregator,
  log: benchEmbeddedLog,
  archive: benchArchive,
  whole: benchWholeProcess,
  cardinality: benchCardinality,
};

const wanted = process.argv.slice(2);
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const finding of await bench()) process.stdout.write(line(finding));
}
