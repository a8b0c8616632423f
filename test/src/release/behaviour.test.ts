import { LINE_VERSION } from '@flyball/runtime';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { simulatedSpecs } from '../sim/line-world.ts';
import { goOnFrom, type RecordedRelease, runLane } from './recorded-lane.ts';

// Goal: an upgrade never changes what was decided without saying so, and never meets a state or a message that it cannot read.
// Method: what releases have read, said and kept is in testdata; the code as it is now reads it again.

const dir = fileURLToPath(new URL('../../testdata/releases/', import.meta.url));
const releases = globSync('line-*.json.gz', { cwd: dir })
  .sort()
  .map((name) => JSON.parse(gunzipSync(readFileSync(`${dir}${name}`)).toString()) as RecordedRelease);
const specs = simulatedSpecs();
const specOf = (processor: string, topic: string) =>
  specs.find(({ name, inbox }) => name === processor && inbox.topic === topic)!;
const nameOf = (lane: { processor: string; topic: string; partition: number }) =>
  `${lane.processor}:${lane.topic}/${lane.partition}`;

test('the present line is recorded, with every processor', () => {
  const present = releases.find(({ lineVersion }) => lineVersion === LINE_VERSION)!;
  expect(new Set(present.lanes.map(({ processor }) => processor))).toEqual(new Set(specs.map(({ name }) => name)));
});

describe.each(releases)('line $lineVersion', ({ lineVersion, lanes }) => {
  test.each(lanes.map((lane) => [nameOf(lane), lane] as const))(
    '%s: what it kept is read, and what it read is understood',
    async (_name, lane) => {
      const said = await goOnFrom(specOf(lane.processor, lane.topic), lane);
      if (lineVersion === LINE_VERSION) expect(said).toBe(lane.secondHalfDigest);
    },
  );

  // An older line says what it said then; only what it kept and read must still be understood.
  if (lineVersion !== LINE_VERSION) return;
  test.each(lanes.map((lane) => [nameOf(lane), lane] as const))(
    '%s says the same bytes; if another answer is meant, LINE_VERSION must grow (npm run record-release)',
    async (_name, lane) => {
      const { saidDigest, checkpoint } = await runLane(specOf(lane.processor, lane.topic), lane);
      expect({ saidDigest, checkpoint }).toEqual({ saidDigest: lane.saidDigest, checkpoint: lane.checkpoint });
    },
  );
});
