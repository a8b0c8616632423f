import type { Partition } from '@flyball/runtime';

/** A member of a group: what it wants to read, and what it reads now. */
export interface Member {
  readonly id: string;
  readonly topics: readonly string[];
  readonly holds: readonly Partition[];
}

/**
 * Shares partitions out, topic by topic, as evenly as can be, and leaves them where they are as far as that allows: whoever
 * takes a lane over must restore its state first. The same members always give the same answer.
 *
 * @param partitions - how many a topic has.
 * @returns what each member is to read, by its id.
 */
export function assign(
  members: readonly Member[],
  partitions: ReadonlyMap<string, number>,
): ReadonlyMap<string, readonly Partition[]> {
  const sorted = members.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const shares = new Map<string, Partition[]>(sorted.map(({ id }) => [id, []]));
  for (const [topic, count] of [...partitions].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const readers = sorted.filter(({ topics }) => topics.includes(topic));
    for (const [id, share] of assignTopic(readers, topic, count, shares)) {
      shares.get(id)!.push(...share.map((partition) => ({ topic, partition })));
    }
  }
  return shares;
}

function assignTopic(
  readers: readonly Member[],
  topic: string,
  count: number,
  shares: ReadonlyMap<string, readonly Partition[]>,
): ReadonlyMap<string, number[]> {
  const taken = new Map<string, number[]>(readers.map(({ id }) => [id, []]));
  if (readers.length === 0) return taken;
  const least = Math.floor(count / readers.length);
  let extra = count % readers.length;
  const free = new Set(Array.from({ length: count }, (_, partition) => partition));
  for (const { id, holds } of readers) {
    const share = taken.get(id)!;
    for (const held of holds) {
      const isRoom = share.length < least || (share.length === least && extra > 0);
      if (held.topic !== topic || !isRoom || !free.delete(held.partition)) continue;
      if (share.length === least) extra -= 1;
      share.push(held.partition);
    }
  }
  for (const partition of free) {
    const [id] = [...taken].reduce((best, each) => (loadOf(each) < loadOf(best) ? each : best));
    taken.get(id)!.push(partition);
  }
  return taken;

  /** Within a topic first; then over all of them. */
  function loadOf([id, share]: readonly [string, readonly number[]]): number {
    return share.length * 1_000_000 + shares.get(id)!.length;
  }
}
