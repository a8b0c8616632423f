import { windowsCodec } from '@flyball/contracts';
import type { ChaosStage } from './chaos-stage.ts';
import type { Scenario } from './scenario.ts';
import { topicRecords } from './topic-records.ts';

/** Long enough that normal was learned, so that a drop to zero could be seen as one, ms. */
const LEARNING_MS = [16_000, 20_000] as const;

/** Coverage of every window so far, with its times. */
async function coverages({ log }: ChaosStage) {
  const records = (await topicRecords(log, 'flyball.windows')).flatMap(({ counted }) => counted);
  return records.map((record) => windowsCodec.decode(record)).filter((message) => message.type === 'window');
}

/** Nobody reads, or nobody takes, telemetry for a while. */
export const SILENCE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'aggregators-away',
    title: 'all aggregators are away for a minute: no drop to zero, and every window is covered',
    cluster: { processes: { aggregator: 2 } },
    run: async (stage) => {
      const { cluster, findings } = stage;
      await stage.pass(...LEARNING_MS);
      for (const name of cluster.processesOf('aggregator')) await cluster.services.kill(name);
      stage.tell('all aggregators are away');
      await stage.pass(60_000, 65_000);
      for (const name of cluster.processesOf('aggregator')) await cluster.services.restart(name);
      stage.tell('they are back');
      const { problems } = await stage.healed();
      findings.expect(problems.length === 0, `not healed: ${problems.join('; ')}`);
      const uncovered = (await coverages(stage)).filter(({ coverage }) => coverage < 1);
      findings.expect(uncovered.length === 0, `${uncovered.length} windows not covered, though ingest was there`);
    },
  },
  {
    name: 'ingest-away',
    title: 'ingest is away for half a minute: the gap is not covered, and nothing is concluded from silence',
    run: async (stage) => {
      const { cluster, findings } = stage;
      await stage.pass(...LEARNING_MS);
      await cluster.services.kill('ingest-1');
      const fromMs = Date.now();
      stage.tell('ingest is away');
      await stage.pass(30_000, 45_000);
      const untilMs = Date.now();
      await cluster.services.restart('ingest-1');
      stage.tell('ingest is back');
      await stage.pass(15_000, 20_000);
      const windows = await coverages(stage);
      const inGap = windows.filter(({ startMs, endMs }) => startMs < untilMs && endMs > fromMs);
      const covered = inGap.filter(({ coverage }) => coverage === 1);
      findings.expect(covered.length === 0, `${covered.length} of ${inGap.length} windows of the gap are covered`);
      const later = windows.filter(({ startMs, coverage }) => startMs > untilMs + 8_000 && coverage === 1);
      findings.expect(later.length > 0, 'nothing is covered any more after the gap');
    },
  },
];
