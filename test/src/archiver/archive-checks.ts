import { ArchiveReader } from '@flyball/archiver';
import { type Topic, TOPICS, TOPOLOGY } from '@flyball/contracts';
import { laneName, type StoredRecord } from '@flyball/runtime';
import { expect } from 'vitest';
import { type ArchiveWorld, keyOf, places } from './archive-world.ts';

/** Beyond the end of any test. */
export const DAY_MS = 24 * 3_600_000;

/** Everything that a reader finds, by partition, and every gap but that of the open end. */
export async function readAll(world: ArchiveWorld, untilMs = world.clock.nowMs + DAY_MS) {
  const reader = new ArchiveReader(world.objects);
  const plan = await reader.plan({ topics: TOPICS, fromMs: 0, toMs: untilMs });
  const found = new Map<string, StoredRecord[]>(TOPICS.flatMap((topic) => places(topic).map((at) => [keyOf(at), []])));
  const order: number[] = [];
  for await (const { topic, partition, record } of reader.read(plan)) {
    found.get(keyOf({ topic, partition }))!.push(record);
    order.push(record.appendedAtMs);
  }
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  const gaps = plan.gaps.filter(
    (gap) => gap.reason !== 'not_archived' || gap.fromOffset !== world.truth.get(keyOf(gap))!.length,
  );
  return { found, gaps, plan };
}

/** The promises that must hold at any moment. */
export async function expectSafe(world: ArchiveWorld): Promise<void> {
  const { found } = await readAll(world);
  for (const topic of TOPICS) {
    for (const at of places(topic)) {
      const { startOffset } = await world.log.range(at);
      if (TOPOLOGY[topic].isKept) expect(startOffset).toBe(0);
      const truth = world.truth.get(keyOf(at))!.slice(0, startOffset);
      expect(found.get(keyOf(at))!.slice(0, startOffset), `${keyOf(at)} was trimmed`).toEqual(truth);
      expect(startOffset, keyOf(at)).toBeLessThanOrEqual(await wantedFrom(world, topic, at.partition));
    }
  }
}

/** Least offset that a lane may still start from, by the names of its checkpoints alone. */
async function wantedFrom(world: ArchiveWorld, topic: Topic, partition: number): Promise<number> {
  const wanted: number[] = [];
  for (const reader of TOPOLOGY[topic].readers as readonly string[]) {
    if (reader === 'api' || reader === 'actuator') continue;
    const names = await world.objects.list(`checkpoints/${laneName(reader, topic, partition)}/`);
    wanted.push(...(names.length === 0 ? [0] : names.map((name) => Number(name.split('/').at(-1)))));
  }
  return Math.min(...wanted);
}

/** In the end the archive holds every record, once and unchanged. */
export async function expectWhole(world: ArchiveWorld): Promise<void> {
  const { found, gaps } = await readAll(world);
  expect(gaps).toEqual([]);
  for (const [key, records] of world.truth) expect(found.get(key), key).toEqual(records);
}
