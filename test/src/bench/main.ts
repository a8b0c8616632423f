import { benchAggregator } from './aggregator.ts';
import { benchArchive } from './archive.ts';
import { benchEmbeddedLog } from './embedded-log.ts';
import { tellBenches } from './tell-benches.ts';
import { benchScanner } from './scanner.ts';
import { benchCardinality, benchWholeProcess } from './whole-process.ts';

await tellBenches({
  name: 'npm run bench --',
  description: 'what a CPU-second buys',
  benches: {
    scanner: benchScanner,
    aggregator: benchAggregator,
    log: benchEmbeddedLog,
    archive: benchArchive,
    whole: benchWholeProcess,
    cardinality: benchCardinality,
  },
});
