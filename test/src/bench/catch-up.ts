import { until } from '@flyball/cli';
import { median } from 'simple-statistics';
import { LAG_MAX } from '../chaos/check-fleet.ts';
import { BenchCluster, usPerSpan } from './bench-cluster.ts';

const WARM_MS = 12_000;
const FILL_MS = 20_000;
const CATCH_UP_MS_MAX = 60_000;
const POLL_MS = 250;
/** Each process takes as much as one alone does in so many rounds before it is measured. */
const WARM_ROUNDS = 3;
const ROUNDS = 5;

/** Who catches up, with what. */
export interface Runner {
  readonly aggregators: number;
  readonly kind: string;
}

/** What a span costs all aggregators of a runner together. */
export interface CatchUpCost {
  /** CPU-microseconds, the median of the rounds. */
  readonly us: number;
  /** Against the first runner, round by round: the median, and the least and the most. */
  readonly ratio: number;
  readonly ratios: readonly [number, number];
}

/**
 * What a span costs aggregators that have enough to do: they stand still while the log fills, and then catch up. An idle process has a
 * price of its own, which is no work. Nor is what a new process pays until it is compiled and its heap has grown, about a CPU-second:
 * they have caught up before, each with as many spans.
 *
 * The runners take turns, and each round is held against the first runner's of the same turn: within minutes a machine that others
 * share may change its pace by half.
 */
export async function catchUpCosts(runners: readonly Runner[]): Promise<readonly CatchUpCost[]> {
  const clusters: BenchCluster[] = [];
  try {
    for (const { aggregators, kind } of runners) {
      const cluster = await BenchCluster.start(aggregators);
      clusters.push(cluster);
      await cluster.send(kind, WARM_MS);
      for (let round = 0; round < WARM_ROUNDS * aggregators; round += 1) await catchUp(cluster, kind);
    }
    const costs = runners.map((): number[] => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [at, { kind }] of runners.entries()) costs[at]!.push(await catchUp(clusters[at]!, kind));
    }
    return costs.map((own) => {
      const ratios = own.map((us, round) => us / costs[0]![round]!);
      return { us: median(own), ratio: median(ratios), ratios: [Math.min(...ratios), Math.max(...ratios)] };
    });
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  }
}

/** One round: CPU-microseconds per span. Leaves the aggregators frozen, so that they take nothing from another's round. */
async function catchUp(cluster: BenchCluster, kind: string): Promise<number> {
  cluster.freeze();
  const before = await cluster.read();
  await cluster.send(kind, FILL_MS, Infinity);
  cluster.thaw();
  const isWell = await until(CATCH_UP_MS_MAX, async () => (await cluster.lag()) <= LAG_MAX, POLL_MS);
  if (!isWell) throw new Error('the aggregators do not catch up');
  const after = await cluster.read();
  cluster.freeze();
  return usPerSpan(before, after).get('aggregator')!;
}
