import { setTimeout as pause } from 'node:timers/promises';
import type { ChaosStage } from './chaos-stage.ts';
import { metricValues } from './metric-values.ts';
import type { Scenario } from './scenario.ts';

const SLOW_MS = 60_000;
/** A tenth of its time, as of a machine that others have taken. */
const [STOPPED_MS, RUNNING_MS] = [900, 100];
const SCRAPE_TIMEOUT_MS = 15_000;
/** Behind by at least as long as it stands still at a time. */
const SHOWN_LAG_SECONDS = 0.5;

/** The greatest lag that a process shows now, in seconds; `undefined` when it does not answer in time. */
async function lagOf(health: string): Promise<number | undefined> {
  try {
    return Math.max(...(await metricValues(health, 'flyball_lag_seconds', SCRAPE_TIMEOUT_MS)));
  } catch {
    return undefined;
  }
}

/** Lets a process run a tenth of the time only, and asks it for its lag all the while. Resolves with the lags that it showed. */
async function slowDown({ cluster, tell }: ChaosStage, name: string): Promise<readonly number[]> {
  const { services } = cluster;
  const lags: number[] = [];
  let isOver = false;
  const scraping = (async () => {
    while (!isOver) {
      const lag = await lagOf(services.hello(name).health);
      if (lag !== undefined) lags.push(lag);
      await pause(RUNNING_MS);
    }
  })();
  tell(`${name} runs at a tenth of its speed`);
  const endMs = performance.now() + SLOW_MS;
  while (performance.now() < endMs) {
    services.signal(name, 'SIGSTOP');
    await pause(STOPPED_MS);
    services.signal(name, 'SIGCONT');
    await pause(RUNNING_MS);
  }
  tell(`${name} runs at its full speed`);
  isOver = true;
  await scraping;
  return lags;
}

/** The newest requests may not have been answered yet. */
const UNDER_WAY = 20;

const isMalformed = (names: readonly string[]) => names.includes('OTLP_MALFORMED');

/** Somebody is too slow. */
export const SLOW_SCENARIOS: readonly Scenario[] = [
  {
    name: 'aggregator-slow',
    title: 'the aggregator runs at a tenth of its speed for a minute: its lag shows, ingest does not feel it',
    spansPerSecond: 1_000,
    run: async (stage) => {
      const { cluster, findings, sender } = stage;
      await stage.pass(8_000, 12_000);
      const calm = await lagOf(cluster.hello('aggregator').health);
      const before = new Set(sender.ledger.entries.map(({ id }) => id));
      const lags = await slowDown(stage, 'aggregator-1');
      const meanwhile = sender.ledger.entries.filter(({ id }) => !before.has(id)).slice(0, -UNDER_WAY);
      const failed = meanwhile.filter(({ acked, names }) => acked === 0 && !isMalformed(names));
      findings.none(
        failed.map(({ id, names }) => `${id} (${names.join(' ')})`),
        'requests were not acked while the aggregator was slow',
      );
      const most = Math.max(...lags);
      findings.note('lag before in s', (calm ?? NaN).toFixed(2));
      findings.note('most lag in s', most.toFixed(2));
      findings.expect(
        most > SHOWN_LAG_SECONDS,
        `flyball_lag_seconds shows ${most} s at most, in ${lags.length} scrapes`,
      );
    },
  },
];
