import { CheckpointStore } from './checkpoint.ts';
import { activate, cutOf } from './cut.ts';
import { laneName } from './lane.ts';
import type { LanePorts } from './lane-runner.ts';
import type { AnyLaneSpec } from './line.ts';
import type { Log } from './log.ts';
import type { Partition } from './record.ts';

/** Bytes of values that are looked through at once for a cut. */
const SCAN_BYTES_MAX = 1_000_000;

/**
 * For a process that owns its log alone: puts a cut to these processors on record if any of their lanes was last run by
 * another release, or with other settings, or was given to such that ended before it had saved the lane.
 *
 * @returns whether it did.
 */
export async function activateIfChanged(
  ports: LanePorts,
  specs: readonly AnyLaneSpec[],
  release: string,
): Promise<boolean> {
  const store = new CheckpointStore(ports.objects);
  for (const { name, behaviour, inbox } of specs) {
    const { partitions } = await ports.log.describe(inbox.topic);
    for (let partition = 0; partition < partitions; partition += 1) {
      const newest = await store.newest(laneName(name, inbox.topic, partition), (checkpoint) => checkpoint);
      if (newest === undefined) continue;
      const at = { topic: inbox.topic, partition };
      const active = (await lastCutTo(ports.log, name, at, newest.offset)) ?? newest.behaviour;
      if (active === '' || active === behaviour) continue;
      await activate(ports.log, specs, release);
      return true;
    }
  }
  return false;
}

/** What the last cut from an offset on says of a processor. A log that does not hold the offset says nothing: its lane will. */
async function lastCutTo(log: Log, name: string, at: Partition, offset: number): Promise<string | undefined> {
  const { startOffset, endOffset } = await log.range(at);
  let last: string | undefined;
  if (offset < startOffset) return last;
  for (let next = offset; next < endOffset;) {
    const records = await log.read(at, next, SCAN_BYTES_MAX);
    if (records.length === 0) return last;
    for (const { headers } of records) last = cutOf(headers)?.behaviours[name] ?? last;
    next += records.length;
  }
  return last;
}
