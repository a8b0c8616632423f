import { mean, median } from 'simple-statistics';
import { type BenchCluster, usPerSpan, withCluster } from './bench-cluster.ts';
import { yardstick } from './yardstick.ts';

const WARM_MS = 12_000;
const FILL_MS = 20_000;
const POLL_MS = 250;
/** Each process takes as much as one alone does in so many rounds before it is measured. */
const WARM_ROUNDS = 2;
const ROUNDS = 5;

/** What a span costs all aggregators of a cluster together: the medians of some rounds. */
export interface CatchUpCost {
  /** CPU-microseconds. */
  readonly us: number;
  /** Over what it cost without servers at about the same time, see {@link yardstick}. */
  readonly ratio: number;
  readonly leastRatio: number;
  readonly mostRatio: number;
}

/**
 * What a span costs aggregators that have enough to do: they stand still while the log fills, and then catch up. An idle process has a
 * price of its own, which is no work. Nor is what a new process pays until it is compiled and its heap has grown, about a CPU-second:
 * they have caught up before, each with as many spans.
 *
 * One cluster after the other: a quiet one beside it would take a good part of a core.
 */
export async function catchUpCost(aggregators: number, kind: string): Promise<CatchUpCost> {
  return withCluster(aggregators, async (cluster) => {
    const tell = (what: string) => process.stderr.write(` ${aggregators} aggregators, ${kind}, ${what}\n`);
    await cluster.send(kind, WARM_MS);
    for (let round = 1; round <= WARM_ROUNDS * aggregators; round += 1) {
      tell(`warming ${round}: ${(await catchUp(cluster, kind)).toFixed(2)} CPU-us/span`);
    }
    const [costs, ratios]: [number[], number[]] = [[], []];
    let beforeUs = await yardstick(aggregators);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const us = await catchUp(cluster, kind);
      const afterUs = await yardstick(aggregators);
      const withoutUs = mean([beforeUs, afterUs]);
      costs.push(us);
      ratios.push(us / withoutUs);
      tell(`round ${round}: ${us.toFixed(2)} CPU-us/span, ${withoutUs.toFixed(2)} without servers`);
      beforeUs = afterUs;
    }
    return {
      ...{ us: median(costs), ratio: median(ratios) },
      ...{ leastRatio: Math.min(...ratios), mostRatio: Math.max(...ratios) },
    };
  });
}

/** One round: CPU-microseconds per span. */
async function catchUp(cluster: BenchCluster, kind: string): Promise<number> {
  cluster.freeze();
  const before = await cluster.read();
  await cluster.send(kind, FILL_MS, Infinity);
  cluster.thaw();
  if (!(await cluster.catchUp(POLL_MS))) throw new Error('the aggregators do not catch up');
  return usPerSpan(before, await cluster.read()).get('aggregator')!;
}
