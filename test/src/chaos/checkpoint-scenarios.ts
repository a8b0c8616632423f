import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ChaosStage } from './chaos-stage.ts';
import type { Scenario } from './scenario.ts';

const SPOILS = ['flipped', 'cut short', 'emptied'] as const;

/** Objects of an aggregator's lanes under a prefix, in order. */
function objectsOf(stage: ChaosStage, prefix: string): readonly string[] {
  return globSync(join(stage.cluster.dir, 'objects', prefix, '{local,global}:*', '*', '*', '*')).sort();
}

/** Spoils the newest checkpoint of every lane that has an older one. Returns how many. */
function spoilNewest(stage: ChaosStage): number {
  let spoiled = 0;
  for (const paths of Map.groupBy(objectsOf(stage, 'checkpoints'), dirname).values()) {
    if (paths.length < 2) continue;
    const bytes = readFileSync(paths.at(-1)!);
    const how = stage.dice.pick(SPOILS);
    if (how === 'flipped') bytes[stage.dice.below(bytes.length)]! ^= 1 << stage.dice.below(8);
    const lengths = { flipped: bytes.length, 'cut short': Math.floor(bytes.length / 2), emptied: 0 };
    writeFileSync(paths.at(-1)!, bytes.subarray(0, lengths[how]));
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
      let spoiled = 0;
      for (let time = 0; time < 3; time += 1) {
        await stage.pass(3_000, 6_000);
        cluster.services.signal('aggregator-1', 'SIGTERM');
        await cluster.services.ended('aggregator-1');
        spoiled += spoilNewest(stage);
        stage.tell(`${spoiled} checkpoints spoiled so far`);
        await cluster.services.restart('aggregator-1');
      }
      await stage.pass(3_000, 5_000);
      const quarantined = objectsOf(stage, 'quarantine/checkpoints').length;
      findings.expect(spoiled > 0, 'no checkpoint was there to spoil');
      findings.expect(quarantined === spoiled, `${spoiled} spoiled, ${quarantined} in quarantine`);
      findings.note('quarantined', quarantined);
    },
  },
];
