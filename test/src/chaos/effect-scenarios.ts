import { until } from '@flyball/cli';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChaosStage } from './chaos-stage.ts';
import { commandRecords } from './check-commands.ts';
import { POLICIES_DIR } from './question-scenarios.ts';
import { awaitMoment, learned } from './release.ts';
import type { Scenario } from './scenario.ts';

const SHOP = 'demo-storm';
/** The shop serves 60 requests/s; what tips it is in `services/twin/src/retry-storm.ts`. */
const STORM = { capacityPerSecond: 80, queueMax: 225, timeoutMs: 1_000, retriesMax: 3, spikeRatio: 5, spikeMs: 4_000 };
/** Longer than the demo's throttle lasts. */
const AWAY_MS = 24_000;
const RELEASED_MS = 30_000;
/** What the demo's throttle lasts, and its ramp of four steps a second apart. */
const [THROTTLE_MS, RAMP_MS] = [20_000, 3_000];
/** What an isolation lasts by `policies`. */
const ISOLATION_MS = 15_000;
/** An actuator that is told at once that nobody listens at the log looks again so often, with room for a busy machine. */
const PROMPT_MS = 4_000;

/** Whether the shop's throttle is still in place, be it in part. */
async function isThrottled({ flyball }: ChaosStage): Promise<boolean> {
  const { throttle } = await flyball.twin<{ throttle: object | null }>('GET', `/rollouts/${SHOP}/web`);
  return throttle !== null;
}

/** Instances of checkout that get no requests, by commas. */
async function isolatedIn({ flyball }: ChaosStage): Promise<string> {
  const path = `/rollouts/${SHOP}/checkout`;
  const { isolated } = await flyball.twin<{ isolated: readonly { instance: string }[] }>('GET', path);
  return isolated.map(({ instance }) => instance).join();
}

/** Its end is on record once, when the log is there to be told. */
async function expectOneEnd(stage: ChaosStage): Promise<void> {
  let reverted = 0;
  await until(RELEASED_MS, async () => {
    const { outcomes } = await commandRecords(stage).catch(() => ({ outcomes: [] }));
    reverted = outcomes.filter((each) => each.type === 'outcome' && each.status === 'reverted').length;
    return reverted > 0;
  });
  stage.findings.expect(reverted === 1, `${reverted} reports of its end, wanted 1`);
}

/** What was set for a time, when those who set it are gone or stopped. */
export const EFFECT_SCENARIOS: readonly Scenario[] = [
  {
    name: 'throttle-outlives-actuator',
    title: 'automation is paused and the actuator dies while a throttle is in force: whoever comes back releases it',
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      const { cluster, flyball, findings } = stage;
      await learned(stage);
      await flyball.twin('POST', `/shops/${SHOP}/overload`, STORM);
      stage.tell('a retry storm');
      if (!(await awaitMoment(stage, SHOP, 'outcome'))) return;
      await flyball.client.request('PUT', '/v1/killswitch', { reason: 'chaos' });
      await cluster.services.kill('actuator-1');
      stage.tell('automation is paused; kill -9 of the actuator');
      await pause(AWAY_MS);
      findings.expect(await isThrottled(stage), 'the throttle is gone though nobody was there to release it');
      await cluster.services.restart('actuator-1');
      const isReleased = await until(RELEASED_MS, async () => !(await isThrottled(stage)));
      findings.expect(isReleased, 'the throttle is still in place');
      await expectOneEnd(stage);
      stage.tell('released, though paused, by whoever came back');
    },
  },
  {
    name: 'throttle-outlives-broker',
    title: 'the broker is stopped while a throttle is in force, for longer than it lasts: it is released at its time',
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      const { kafka } = stage.cluster;
      await learned(stage);
      await stage.flyball.twin('POST', `/shops/${SHOP}/overload`, STORM);
      stage.tell('a retry storm');
      if (!(await awaitMoment(stage, SHOP, 'outcome'))) return;
      const fromMs = performance.now();
      // Late enough that it is back before raw partitions count as down.
      await stage.pass(4_000, 12_000);
      await kafka.node(1).stop();
      stage.tell('the broker is stopped');
      const isReleased = await until(2 * THROTTLE_MS, async () => !(await isThrottled(stage)));
      const tookMs = performance.now() - fromMs;
      stage.findings.note('released after s', (tookMs / 1_000).toFixed(1));
      const isOnTime = tookMs > THROTTLE_MS - PROMPT_MS && tookMs < THROTTLE_MS + RAMP_MS + PROMPT_MS;
      stage.findings.expect(isReleased && isOnTime, `the throttle was in place for ${tookMs.toFixed(0)} ms`);
      stage.tell(isReleased ? 'released' : 'not released');
      await stage.pass(200, 1_000);
      await kafka.startNode(1);
      stage.tell('the broker is back');
      await expectOneEnd(stage);
    },
  },
  {
    name: 'isolate-outlives-actuator',
    title:
      'kill -9 of the actuator between an isolation and its end: whoever comes back lets the instance in again, once',
    cluster: { policiesDir: POLICIES_DIR },
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      const { cluster, flyball, findings } = stage;
      await learned(stage);
      const fault = { service: 'checkout', version: 'v1', instance: 'checkout-v1-2', errorRatio: 0.6 };
      await flyball.twin('POST', `/shops/${SHOP}/faults`, fault);
      stage.tell('an instance fails');
      if (!(await awaitMoment(stage, SHOP, 'outcome'))) return;
      const fromMs = performance.now();
      findings.expect((await isolatedIn(stage)) === 'checkout-v1-2', `isolated: ${await isolatedIn(stage)}`);
      await stage.pass(0, ISOLATION_MS - 4_000);
      await cluster.services.kill('actuator-1');
      stage.tell('kill -9 of the actuator');
      await flyball.twin('POST', `/shops/${SHOP}/heal`, { service: 'checkout' });
      await pause(ISOLATION_MS - (performance.now() - fromMs));
      await stage.pass(1_000, 6_000);
      findings.expect((await isolatedIn(stage)) !== '', 'the instance is back though nobody was there to let it in');
      await cluster.services.restart('actuator-1');
      const isReleased = await until(RELEASED_MS, async () => (await isolatedIn(stage)) === '');
      findings.expect(isReleased, 'the instance is still isolated');
      await expectOneEnd(stage);
      stage.tell('let in again by whoever came back');
    },
  },
];
