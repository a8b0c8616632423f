import { openS3Objects } from '@flyball/objects-s3';
import type { Objects } from '@flyball/runtime';
import { posix } from 'node:path';
import type { ChaosStage } from './chaos-stage.ts';
import type { Scenario } from './scenario.ts';

const SPOILS = ['flipped', 'cut short', 'emptied'] as const;

/** Names of the objects of an aggregator's lanes in a folder, in order. */
async function objectsOf(objects: Objects, folder: string): Promise<readonly string[]> {
  const lanes = ['local', 'global'].map((stage) => objects.list(`${folder}/${stage}:`));
  return (await Promise.all(lanes)).flat();
}

/** Spoils the newest checkpoint of every lane that has an older one. Returns how many. */
async function spoilNewest({ dice }: ChaosStage, objects: Objects): Promise<number> {
  let spoiled = 0;
  for (const names of Map.groupBy(await objectsOf(objects, 'checkpoints'), posix.dirname).values()) {
    if (names.length < 2) continue;
    const bytes = Uint8Array.from((await objects.get(names.at(-1)!))!);
    const how = dice.pick(SPOILS);
    if (how === 'flipped') bytes[dice.below(bytes.length)]! ^= 1 << dice.below(8);
    const lengths = { flipped: bytes.length, 'cut short': Math.floor(bytes.length / 2), emptied: 0 };
    await objects.put(names.at(-1)!, bytes.subarray(0, lengths[how]));
    spoiled += 1;
  }
  return spoiled;
}

/** What a lane goes on from. */
export const CHECKPOINT_SCENARIOS: readonly Scenario[] = [
  {
    name: 'corrupt-checkpoint',
    title: 'the newest checkpoint of every lane of the aggregator is spoiled while it is away, three times',
    run: async (stage) => {
      const { cluster, findings } = stage;
      const objects = openS3Objects(cluster.s3.url, cluster.s3.env ?? {});
      let spoiled = 0;
      for (let time = 0; time < 3; time += 1) {
        await stage.pass(3_000, 6_000);
        cluster.services.signal('aggregator-1', 'SIGTERM');
        await cluster.services.ended('aggregator-1');
        spoiled += await spoilNewest(stage, objects);
        stage.tell(`${spoiled} checkpoints spoiled so far`);
        await cluster.services.restart('aggregator-1');
      }
      await stage.pass(3_000, 5_000);
      const quarantined = (await objectsOf(objects, 'quarantine/checkpoints')).length;
      findings.expect(spoiled > 0, 'no checkpoint was there to spoil');
      findings.expect(quarantined === spoiled, `${spoiled} spoiled, ${quarantined} in quarantine`);
      findings.note('quarantined', quarantined);
    },
  },
];
