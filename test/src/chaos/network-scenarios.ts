import { until } from '@flyball/cli';
import type { LinkFault } from '@flyball/testing';
import { setTimeout as pause } from 'node:timers/promises';
import type { LinkName } from '../cluster/cluster-links.ts';
import { checkBlind, type Gap } from './check-blind.ts';
import { allLanes } from './check-fleet.ts';
import { type ChaosStage, LANES } from './chaos-stage.ts';
import { awaitMoment, deployBad, learned } from './release.ts';
import type { Scenario } from './scenario.ts';
import { expectOnlyServicesAway, expectShown } from './store-scenarios.ts';

const SHOP = 'demo-one';
const BURST_REQUESTS = 40;
/** Answers that were on their way have come by then, ms. */
const IN_FLIGHT_MS = 500;
/** The group's session, the time to join, and the restore of a lane, with room for a busy machine, ms. */
const TAKE_OVER_MS = 40_000;

/** Ingest that does not hear from the log tells nobody that something was stored. Returns how long that was. */
async function expectNothingAcked(stage: ChaosStage, lastsMs: readonly [number, number]): Promise<Gap> {
  const { ledger } = stage.sender;
  const fromMs = Date.now();
  await pause(IN_FLIGHT_MS);
  const before = ledger.ackedRequests;
  await stage.pass(...lastsMs);
  const more = ledger.ackedRequests - before;
  stage.findings.expect(more === 0, `${more} requests were acked by an ingest that is cut off from the log`);
  return { fromMs, untilMs: Date.now() };
}

/** While one of two aggregators is cut off, the other one runs all lanes. */
async function expectTakenOver(stage: ChaosStage, by: string): Promise<void> {
  const wanted = [...allLanes(LANES, LANES)].filter((lane) => /^(local|global):/.test(lane));
  const isTaken = await until(TAKE_OVER_MS, async () => {
    const { lanes } = (await stage.reports()).find(({ name }) => name === by)!;
    const running = new Set(lanes.filter(({ state }) => state === 'running').map(({ lane }) => lane));
    return wanted.every((lane) => running.has(lane));
  });
  stage.findings.expect(isTaken, `${by} did not take over all lanes`);
  stage.tell(`${by} runs all lanes`);
}

const EVERY_LINK: readonly LinkName[] = [
  ...(['ingest', 'aggregator', 'detector', 'planner', 'auditor', 'actuator', 'archiver', 'api'] as const).map(
    (service) => `${service}-1>kafka` as const,
  ),
  ...(['aggregator-1>redis', 'api-1>redis', 'aggregator-1>s3', 'planner-1>s3', 'actuator-1>twin'] as const),
];

/** Clogs a random part of all links one after another, lets it last, and unclogs them in another order. */
async function swizzle(stage: ChaosStage, lasts: () => Promise<unknown>): Promise<void> {
  const count = 3 + stage.dice.below(EVERY_LINK.length - 3);
  const clogged = stage.shuffled(EVERY_LINK).slice(0, count);
  for (const name of clogged) {
    await stage.pass(50, 1_000);
    stage.cluster.link(name).set('clog');
    stage.tell(`${name}: clog`);
  }
  await lasts();
  for (const name of stage.shuffled(clogged)) {
    await stage.pass(50, 1_500);
    stage.cluster.link(name).set('pass');
    stage.tell(`${name}: pass`);
  }
}

/** The network between processes and servers: all of them run, and some do not hear of each other. */
export const NETWORK_SCENARIOS: readonly Scenario[] = [
  {
    name: 'partition-ingest',
    title: 'ingest is cut off from the brokers, and then in a black hole: nothing is acked, and the gap is not covered',
    cluster: { links: ['ingest-1>kafka'] },
    run: async (stage) => {
      const gaps: Gap[] = [];
      for (const fault of stage.shuffled(['cut', 'black-hole'] as const)) {
        await stage.pass(2_000, 5_000);
        stage.sender.burst(BURST_REQUESTS);
        await stage.pass(1, 40);
        await stage.during('ingest-1>kafka', fault, async () => {
          gaps.push(await expectNothingAcked(stage, [8_000, 18_000]));
        });
      }
      await stage.pass(18_000, 20_000);
      for (const gap of gaps) await checkBlind(stage, gap);
    },
  },
  {
    name: 'partition-aggregator',
    title: 'one of two aggregators is cut off from the brokers until the other has taken over, then the other',
    cluster: { processes: { aggregator: 2 }, links: ['aggregator-1>kafka', 'aggregator-2>kafka'] },
    run: async (stage) => {
      const faults = stage.shuffled<LinkFault>(['cut', 'black-hole', 'clog']);
      for (const [index, [name, other]] of [
        ['aggregator-1', 'aggregator-2'] as const,
        ['aggregator-2', 'aggregator-1'] as const,
      ].entries()) {
        await stage.pass(3_000, 5_000);
        await stage.during(`${name}>kafka`, faults[index]!, async () => {
          await expectTakenOver(stage, other);
          await stage.pass(2_000, 5_000);
        });
        // The next one must not be cut off from what nobody else has yet.
        const { problems } = await stage.healed();
        stage.findings.none(problems, `problems after ${name} was cut off`);
      }
    },
  },
  {
    name: 'partition-planner',
    title: 'one of two planners is cut off while it is told of a bad release, then the other: one command each',
    cluster: { processes: { planner: 2 }, links: ['planner-1>kafka', 'planner-2>kafka'] },
    shops: [SHOP, 'demo-two'],
    commands: 2,
    run: async (stage) => {
      const faults = stage.shuffled<LinkFault>(['cut', 'black-hole', 'clog', 'no-answers']);
      await learned(stage);
      for (const [index, [name, shop]] of [
        ['planner-1', SHOP] as const,
        ['planner-2', 'demo-two'] as const,
      ].entries()) {
        await deployBad(stage, shop);
        await awaitMoment(stage, shop, 'signal');
        await stage.pass(1, 200);
        await stage.during(`${name}>kafka`, faults[index]!, async () => {
          await awaitMoment(stage, shop, 'outcome');
          await stage.pass(1_000, 3_000);
        });
      }
    },
  },
  {
    name: 'partition-stores',
    title: 'the API is cut off from Redis and an aggregator from S3, in a bad release: the loop closes without them',
    cluster: { links: ['api-1>redis', 'aggregator-1>redis', 'aggregator-1>s3'] },
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      const [api, hot, cold] = Array.from({ length: 3 }, () => stage.dice.pick(['cut', 'black-hole', 'clog'] as const));
      await learned(stage);
      await stage.during('api-1>redis', api!, () =>
        stage.during('aggregator-1>redis', hot!, () =>
          stage.during('aggregator-1>s3', cold!, async () => {
            await deployBad(stage, SHOP);
            await awaitMoment(stage, SHOP, 'outcome');
            await expectOnlyServicesAway(stage);
            // Its checkpoint is out of reach: it waits for it.
            await stage.killAndRestart('aggregator');
            await stage.pass(4_000, 8_000);
          }),
        ),
      );
      await expectShown(stage);
    },
  },
  {
    name: 'partition-asymmetric',
    title: 'requests to the brokers are lost and answers are not, or the other way round, of one service after another',
    cluster: { links: ['ingest-1>kafka', 'aggregator-1>kafka', 'detector-1>kafka', 'planner-1>kafka'] },
    run: async (stage) => {
      for (const service of stage.shuffled(['ingest', 'aggregator', 'detector', 'planner'] as const)) {
        await stage.pass(1_000, 4_000);
        stage.sender.burst(BURST_REQUESTS);
        await stage.pass(1, 40);
        await stage.during(`${service}-1>kafka`, stage.dice.pick(['no-requests', 'no-answers']), async () => {
          if (service === 'ingest') await expectNothingAcked(stage, [3_000, 9_000]);
          else await stage.pass(3_000, 9_000);
        });
      }
    },
  },
  {
    name: 'swizzle-clog',
    title: 'random links are clogged one by one and freed in another order, twice, the second time in a bad release',
    cluster: { links: EVERY_LINK },
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      await learned(stage);
      await swizzle(stage, () => stage.pass(1_000, 8_000));
      await stage.healed();
      await learned(stage);
      await deployBad(stage, SHOP);
      await swizzle(stage, () => stage.pass(1_000, 8_000));
      await awaitMoment(stage, SHOP, 'outcome');
    },
  },
];
