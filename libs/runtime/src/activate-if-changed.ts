import { CheckpointStore } from './checkpoint.ts';
import { activate } from './cut.ts';
import { laneName } from './lane.ts';
import type { LanePorts } from './lane-runner.ts';
import type { AnyLaneSpec } from './line.ts';

/**
 * For a process that owns its log alone: puts a cut to these processors on record if any of their lanes was last run by
 * another release, or with other settings.
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
      const last = await store.newest(laneName(name, inbox.topic, partition), (checkpoint) => checkpoint.behaviour);
      if (last === undefined || last === '' || last === behaviour) continue;
      await activate(ports.log, specs, release);
      return true;
    }
  }
  return false;
}
