import { until } from '@flyball/cli';
import { type Incident, incidentsCodec } from '@flyball/contracts';
import type { ChaosStage } from './chaos-stage.ts';
import { newestIncidents, toldBreaches, type ToldIncident } from './check-told.ts';
import { awaitMoment, deployBad, learned } from './release.ts';
import type { Scenario } from './scenario.ts';
import { topicRecords } from './topic-records.ts';

const SHOP = 'demo-told';
const LINK = 'notifier-1>kafka';
/** Verified, and closed; and a notifier that was cut off long has paused for up to so long. */
const CLOSED_MS = 60_000;
const TOLD_MS = 90_000;

async function incidentsOn({ log }: ChaosStage): Promise<readonly Incident[]> {
  const records = (await topicRecords(log, 'flyball.incidents')).flatMap(({ counted }) => counted);
  return records.map((record) => incidentsCodec.decode(record));
}

/** Who is told of what goes on. */
export const NOTICE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'partition-notifier',
    title: 'the notifier is cut off from the log in a bad release and its rollback: all is told when the way is back',
    cluster: { links: [LINK] },
    isTold: true,
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      const { findings, receiver } = stage;
      const told = () => receiver!.bodies<ToldIncident>();
      await learned(stage);
      await stage.during(LINK, stage.dice.pick(['cut', 'black-hole', 'clog'] as const), async () => {
        await deployBad(stage, SHOP);
        await awaitMoment(stage, SHOP, 'outcome');
        await stage.pass(1_000, 20_000);
        findings.expect(told().length === 0, `${told().length} were told by a notifier that is cut off from the log`);
      });
      const isClosed = await until(CLOSED_MS, async () => {
        const all = newestIncidents(await incidentsOn(stage));
        return all.length > 0 && all.every(({ status }) => status === 'closed');
      });
      findings.expect(isClosed, 'an incident is still open');
      const incidents = await incidentsOn(stage);
      await until(TOLD_MS, async () => toldBreaches(told(), incidents).length === 0);
      findings.none(toldBreaches(told(), incidents), 'are told otherwise than they are on record');
      findings.note('told', told().length);
      findings.note('told twice', told().length - new Set(told().map(({ dedupeKey }) => dedupeKey)).size);
    },
  },
];
