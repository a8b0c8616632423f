import { allWindows, checkBlind } from './check-blind.ts';
import type { Scenario } from './scenario.ts';

/** Long enough that normal was learned, so that a drop to zero could be seen as one, ms. */
const LEARNING_MS = [16_000, 20_000] as const;

/** All aggregators are away for so long, ms. */
function aggregatorsAway(
  about: Pick<Scenario, 'name' | 'title' | 'isLong'>,
  awayMs: readonly [number, number],
): Scenario {
  return {
    ...about,
    cluster: { processes: { aggregator: 2 } },
    run: async (stage) => {
      const { cluster, findings } = stage;
      await stage.pass(...LEARNING_MS);
      for (const name of cluster.processesOf('aggregator')) await cluster.services.kill(name);
      stage.tell('all aggregators are away');
      await stage.pass(...awayMs);
      for (const name of cluster.processesOf('aggregator')) await cluster.services.restart(name);
      stage.tell('they are back');
      const { problems } = await stage.healed();
      findings.expect(problems.length === 0, `not healed: ${problems.join('; ')}`);
      const uncovered = (await allWindows(stage)).filter(({ coverage }) => coverage < 1);
      findings.expect(uncovered.length === 0, `${uncovered.length} windows not covered, though ingest was there`);
    },
  };
}

/** Ingest is away for so long, ms. */
function ingestAway(about: Pick<Scenario, 'name' | 'title' | 'isLong'>, awayMs: readonly [number, number]): Scenario {
  return {
    ...about,
    run: async (stage) => {
      const { cluster } = stage;
      await stage.pass(...LEARNING_MS);
      await cluster.services.kill('ingest-1');
      const fromMs = Date.now();
      stage.tell('ingest is away');
      await stage.pass(...awayMs);
      const untilMs = Date.now();
      await cluster.services.restart('ingest-1');
      stage.tell('ingest is back');
      await stage.pass(15_000, 20_000);
      await checkBlind(stage, { fromMs, untilMs });
    },
  };
}

/** Nobody reads, or nobody takes, telemetry for a while. */
export const SILENCE_SCENARIOS: readonly Scenario[] = [
  aggregatorsAway(
    {
      name: 'aggregators-away',
      title: 'all aggregators are away for a minute: no drop to zero, and every window is covered',
    },
    [60_000, 65_000],
  ),
  aggregatorsAway(
    { name: 'aggregators-away-long', title: 'the same for ten minutes', isLong: true },
    [600_000, 605_000],
  ),
  ingestAway(
    {
      name: 'ingest-away',
      title: 'ingest is away for half a minute: the gap is not covered, and nothing is concluded from silence',
    },
    [30_000, 45_000],
  ),
  ingestAway({ name: 'ingest-away-long', title: 'the same for a minute', isLong: true }, [60_000, 65_000]),
];
