import { benchAggregators, benchRecovery, benchSeries, benchServices } from './cluster.ts';
import { line } from './measure.ts';

// `npm run bench:cluster [-- NAME …]`: what a CPU-second of each service buys over a real Kafka, Redis and S3, and how long a
// lane is away. Some minutes. Machines differ and are shared: believe the ratios within one run.

const BENCHES = {
  services: benchServices,
  aggregators: benchAggregators,
  series: benchSeries,
  recovery: benchRecovery,
};

const wanted = process.argv.slice(2);
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const finding of await bench()) process.stdout.write(line(finding));
}
