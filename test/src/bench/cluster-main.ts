import { benchAggregators, benchRecovery, benchSeries, benchServices } from './cluster.ts';
import { tellBenches } from './tell-benches.ts';

await tellBenches({
  name: 'npm run bench:cluster --',
  description:
    'what a CPU-second of each service buys over a real Kafka, Redis and S3, and how long a lane is away; some minutes',
  benches: {
    services: benchServices,
    aggregators: benchAggregators,
    series: benchSeries,
    recovery: benchRecovery,
  },
});
