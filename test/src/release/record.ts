import { LINE_VERSION } from '@flyball/runtime';
import { recordsOf } from '@flyball/testing';
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { LineWorld, QUIET, simulatedSpecs } from '../sim/line-world.ts';
import { LANES, type RecordedLane, type RecordedRelease, runLane } from './recorded-lane.ts';

// `npm run record-release`: keeps what every lane reads and says in a simulated story, as the release that LINE_VERSION names.
// Run it when a stage says other bytes on purpose, after LINE_VERSION has grown; recordings of older releases stay.

const STORY = { ...QUIET, seconds: 45, deployAt: 22, canaryErrors: 0.5, dark: [38, 41] as const };
const CALM = { zombie: 0, crash: 0, checkpoint: 0 };

const { log } = await LineWorld.run(20261125, CALM, STORY);
const lanes: RecordedLane[] = [];
for (const spec of simulatedSpecs()) {
  for (let partition = 0; partition < LANES; partition += 1) {
    const { topic } = spec.inbox;
    const records = await recordsOf(log, { topic, partition });
    if (records.length < 4) continue;
    const inbox = records.map(({ key, headers, value, appendedAtMs }) => {
      return { key, headers, valueBase64: Buffer.from(value).toString('base64'), appendedAtMs };
    });
    const place = { processor: spec.name, topic, partition, inbox };
    lanes.push({ ...place, ...(await runLane(spec, place)) });
  }
}
const release: RecordedRelease = { lineVersion: LINE_VERSION, lanes };
const dir = new URL('../../testdata/releases/', import.meta.url);
mkdirSync(dir, { recursive: true });
const bytes = gzipSync(JSON.stringify(release), { level: 9 });
writeFileSync(new URL(`line-${LINE_VERSION}.json.gz`, dir), bytes);
process.stdout.write(`${lanes.length} lanes of line ${LINE_VERSION}, ${bytes.length} bytes\n`);
