import { NativeKafka, skippable } from '@flyball/testing';
import { expect, test } from 'vitest';
import { play } from '../chaos/play.ts';
import { SCENARIOS } from '../chaos/scenarios.ts';

// Goal: what a deployment promises holds while its processes die. Method: a short part of `npm run chaos`, first without a fault:
// real processes over a real Kafka, a ledger of what was sent, an oracle over the raw records. All of it takes most of an hour.

const SEED = Number(process.env['CHAOS_SEED'] ?? 1);
const PLAYED = ['control', 'kill-ingest', 'kill-everything'];

const missing = skippable(await NativeKafka.missing());
if (missing !== undefined) test.skip(`needs Kafka: ${missing}`);

test.skipIf(missing !== undefined).each(SCENARIOS.filter(({ name }) => PLAYED.includes(name)))(
  '$name: $title',
  async (scenario) => {
    const { failures } = await play(scenario, { seed: SEED, keeps: false, onNote: () => undefined });
    expect(failures).toEqual([]);
  },
  240_000,
);
