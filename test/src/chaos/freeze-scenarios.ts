import { setTimeout as pause } from 'node:timers/promises';
import type { ChaosStage } from './chaos-stage.ts';
import { awaitMoment, deployBad, learned } from './release.ts';
import type { Scenario } from './scenario.ts';

const BURST_REQUESTS = 40;

/** A process stands still for a while, and then goes on as if nothing had been. */
async function freeze(stage: ChaosStage, name: string, work: () => Promise<void>): Promise<void> {
  const { services } = stage.cluster;
  services.signal(name, 'SIGSTOP');
  stage.tell(`SIGSTOP ${name}`);
  try {
    await work();
  } finally {
    services.signal(name, 'SIGCONT');
    stage.tell(`SIGCONT ${name}`);
  }
}

/** Zombies: owners that do not know that they were taken over. */
export const FREEZE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'freeze-ingest',
    title: 'SIGSTOP of ingest in the middle of a burst, for longer than it waits for the log, then SIGCONT',
    run: async (stage) => {
      for (let time = 0; time < 2; time += 1) {
        await stage.pass(3_000, 6_000);
        stage.sender.burst(BURST_REQUESTS);
        await stage.pass(1, 40);
        await freeze(stage, 'ingest-1', () => stage.pass(3_000, 15_000));
      }
      await stage.pass(5_000, 8_000);
    },
  },
  {
    name: 'freeze-aggregator',
    title: 'SIGSTOP of one of two aggregators until the other has taken over, then SIGCONT; twice',
    cluster: { processes: { aggregator: 2 } },
    run: async (stage) => {
      for (const name of ['aggregator-1', 'aggregator-2']) {
        await stage.pass(3_000, 6_000);
        await freeze(stage, name, () => stage.pass(15_000, 25_000));
      }
      await stage.pass(5_000, 8_000);
    },
  },
  {
    name: 'freeze-planner',
    title: 'SIGSTOP of one of two planners, a bad release, then SIGCONT: one command each',
    cluster: { processes: { planner: 2 } },
    shops: ['demo-one', 'demo-two'],
    commands: 2,
    run: async (stage) => {
      await learned(stage);
      for (const [name, shop] of [
        ['planner-1', 'demo-one'],
        ['planner-2', 'demo-two'],
      ] as const) {
        await freeze(stage, name, async () => {
          await deployBad(stage, shop);
          await awaitMoment(stage, shop, 'outcome');
          await stage.pass(3_000, 6_000);
        });
        await stage.pass(5_000, 8_000);
      }
    },
  },
  {
    name: 'freeze-actuator',
    title: 'SIGSTOP of one of two actuators at a claim, longer than the other waits for it',
    cluster: { processes: { actuator: 2 } },
    shops: ['demo-one', 'demo-two'],
    commands: 2,
    run: async (stage) => {
      await learned(stage);
      for (const [name, shop] of [
        ['actuator-1', 'demo-one'],
        ['actuator-2', 'demo-two'],
      ] as const) {
        await deployBad(stage, shop);
        await awaitMoment(stage, shop, 'claim');
        // Whether it is the one that claimed is left to chance; both cases must hold.
        await freeze(stage, name, () => pause(10_000));
        await awaitMoment(stage, shop, 'outcome');
      }
    },
  },
];
