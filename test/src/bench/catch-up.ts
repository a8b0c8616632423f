import { median } from 'simple-statistics';
import { type BenchCluster, usPerSpan, withCluster } from './bench-cluster.ts';

const WARM_MS = 12_000;
const FILL_MS = 20_000;
const POLL_MS = 250;
/** Each process takes as much as one alone does in so many rounds before it is measured. */
const WARM_ROUNDS = 2;
const ROUNDS = 3;

/** What a span costs all aggregators of a cluster together, CPU-microseconds. */
export interface CatchUpCost {
  /** The median of some rounds. */
  readonly us: number;
  readonly leastUs: number;
  readonly mostUs: number;
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
    await cluster.send(kind, WARM_MS);
    const rounds: number[] = [];
    for (let round = 0; round < WARM_ROUNDS * aggregators + ROUNDS; round += 1) {
      rounds.push(await catchUp(cluster, kind));
      const found = `${rounds.at(-1)!.toFixed(2)} CPU-us/span`;
      process.stderr.write(` ${aggregators} aggregators, ${kind}, round ${round + 1}: ${found}\n`);
    }
    const measured = rounds.slice(-ROUNDS);
    return { us: median(measured), leastUs: Math.min(...measured), mostUs: Math.max(...measured) };
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
