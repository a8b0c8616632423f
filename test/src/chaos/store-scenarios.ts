import { until } from '@flyball/cli';
import { Redis } from 'ioredis';
import type { ChaosStage } from './chaos-stage.ts';
import { awaitMoment, deployBad, learned, SHOP_SERVICES } from './release.ts';
import type { Scenario } from './scenario.ts';
import { faultsOf } from './server-of-ours.ts';

const SHOP = 'demo-one';
const SHOWN_MS = 30_000;

/** What the API shows of the shop again, when Redis has what the log has: all its services, and nothing said to be incomplete. */
export async function expectShown({ flyball, findings, tell }: ChaosStage): Promise<void> {
  const isShown = await until(SHOWN_MS, async () => {
    const answer = await flyball.client
      .request<{ items: { environment: string }[]; isRebuilding: boolean }>('GET', '/v1/services')
      .catch(() => undefined);
    if (answer === undefined || answer.isRebuilding) return false;
    return answer.items.filter(({ environment }) => environment === SHOP).length >= SHOP_SERVICES;
  });
  findings.expect(isShown, 'the API does not show the services again');
  tell('the services are shown again');
}

/** While Redis is away services are not shown, and all that must not hang on it goes on. */
export async function expectOnlyServicesAway({ flyball, findings }: ChaosStage): Promise<void> {
  const codeOf = (error: unknown) => (error as Error).message.split(':')[0];
  const services = await flyball.client.services().then(() => 'shown', codeOf);
  findings.expect(services === 'HOT_UNAVAILABLE', `services without Redis: ${services}`);
  const incidents = await flyball.client.incidents().then(() => 'shown', codeOf);
  findings.expect(incidents === 'shown', `incidents without Redis: ${incidents}`);
}

/** Stores beside the log: a cache that may be lost, and checkpoints that may be out of reach for a while. */
export const STORE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'redis-flush',
    title: 'FLUSHALL before a bad release and again at its command: shown again from the log, and ordered back once',
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      const redis = new Redis(stage.cluster.redis.url);
      const flush = async () => stage.tell(`FLUSHALL ${await redis.flushall()}`);
      await learned(stage);
      await flush();
      await deployBad(stage, SHOP);
      await awaitMoment(stage, SHOP, 'command');
      await flush();
      await awaitMoment(stage, SHOP, 'outcome');
      await redis.quit();
      await expectShown(stage);
    },
  },
  {
    name: 'redis-down',
    title: 'kill -9 of Redis, a bad release, and Redis comes back empty: the loop closes without it',
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      const faults = faultsOf(stage.cluster.redis);
      await learned(stage);
      await faults.kill();
      stage.tell('kill -9 of Redis');
      await deployBad(stage, SHOP);
      await awaitMoment(stage, SHOP, 'outcome');
      await expectOnlyServicesAway(stage);
      await faults.restart();
      stage.tell('Redis is back');
      await expectShown(stage);
    },
  },
  {
    name: 'redis-freeze',
    title: 'SIGSTOP of Redis, a bad release, then SIGCONT: whoever waits for it does not hold up the loop',
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      const faults = faultsOf(stage.cluster.redis);
      await learned(stage);
      await faults.freeze();
      stage.tell('SIGSTOP of Redis');
      await deployBad(stage, SHOP);
      await awaitMoment(stage, SHOP, 'outcome');
      await expectOnlyServicesAway(stage);
      await faults.thaw();
      stage.tell('SIGCONT of Redis');
      await expectShown(stage);
    },
  },
  {
    name: 'objects-away',
    title:
      'kill -9 of the object store, and of an aggregator and the planner meanwhile: they wait for their checkpoints',
    run: async (stage) => {
      const faults = faultsOf(stage.cluster.s3);
      await stage.pass(3_000, 6_000);
      await faults.kill();
      stage.tell('kill -9 of the object store');
      await stage.pass(2_000, 5_000);
      for (const service of ['aggregator', 'planner'] as const) await stage.killAndRestart(service);
      await stage.pass(4_000, 10_000);
      await faults.restart();
      stage.tell('the object store is back');
      await stage.pass(5_000, 8_000);
    },
  },
  {
    name: 'objects-freeze',
    title: 'SIGSTOP of the object store for longer than anybody waits for it, and kill -9 of an aggregator meanwhile',
    run: async (stage) => {
      const faults = faultsOf(stage.cluster.s3);
      await stage.pass(3_000, 6_000);
      await faults.freeze();
      stage.tell('SIGSTOP of the object store');
      await stage.pass(2_000, 5_000);
      await stage.killAndRestart('aggregator');
      await stage.pass(15_000, 25_000);
      await faults.thaw();
      stage.tell('SIGCONT of the object store');
      await stage.pass(5_000, 8_000);
    },
  },
];
