import type { Log, Membership } from './log.ts';
import type { Partition } from './record.ts';

/** {@link Log.join} of a log that one process has to itself: it owns every partition, from the start to the end. */
export async function ownEverything(
  log: Pick<Log, 'describe'>,
  topics: readonly string[],
  onOwned: (owned: readonly Partition[]) => void,
): Promise<Membership> {
  const owned: Partition[] = [];
  for (const topic of topics) {
    const { partitions } = await log.describe(topic);
    for (let partition = 0; partition < partitions; partition += 1) owned.push({ topic, partition });
  }
  onOwned(owned);
  return { leave: async () => undefined };
}
