import { attemptsOf } from '@flyball/cli';
import { setTimeout as pause } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaosStage } from './chaos-stage.ts';
import { commandRecords } from './check-commands.ts';
import { awaitMoment, deployBad, learned, type Moment } from './release.ts';
import type { Scenario } from './scenario.ts';
import { faultsOf } from './server-of-ours.ts';

/** How long the shop takes to carry out a rollback, ms. */
const ROLLBACK_MS = 1_500;
/** Short enough that a held command is over within a run. */
const COMMAND_TTL_MS = 12_000;

/** A bad release, and the death of a service at a moment of its command. */
async function dieAt(stage: ChaosStage, shop: string, moment: Moment, afterMs = 0): Promise<void> {
  await deployBad(stage, shop);
  const isThere = await awaitMoment(stage, shop, moment);
  if (!isThere) return;
  await pause(afterMs);
  await stage.killAndRestart(moment === 'signal' ? 'planner' : 'actuator');
  await awaitMoment(stage, shop, 'outcome');
}

/** An actuator that was told to stop starts nothing any more: what is ordered expires. */
function killSwitch(road: 'port' | 'file'): Scenario {
  const shop = `demo-${road}`;
  return {
    name: `kill-switch-${road}`,
    title: `the API and Redis are dead, and a pause by the actuator's own ${road}: no effect starts any more`,
    shops: [shop],
    cluster: { settings: { planner: { commandTtlMs: COMMAND_TTL_MS } } },
    commands: 1,
    run: async (stage) => {
      const { cluster } = stage;
      await learned(stage);
      await deployBad(stage, shop);
      const redis = faultsOf(cluster.redis);
      await Promise.all([cluster.services.kill('api-1'), redis.kill()]);
      stage.tell('kill -9 of the API and of Redis');
      await pauseBy(stage, road);
      const isThere = await awaitMoment(stage, shop, 'command');
      if (isThere) await awaitMoment(stage, shop, 'outcome');
      const { outcomes } = await commandRecords(stage);
      const said = outcomes.map((each) => (each.type === 'claim' ? 'claim' : each.status));
      // Who refuses claims first.
      stage.findings.expect(said.join(' ') === 'claim expired', `while paused: ${said.join(' ')}, wanted expired`);
      const attempts = Object.keys(await attemptsOf(stage.flyball, shop)).length;
      stage.findings.expect(attempts === 0, `${attempts} attempts while paused`);
      await redis.restart();
      await cluster.services.restart('api-1');
    },
  };
}

async function pauseBy({ cluster, findings, tell }: ChaosStage, road: 'port' | 'file'): Promise<void> {
  if (road === 'file') {
    writeFileSync(join(cluster.dir, 'PAUSE'), '');
  } else {
    const headers = { authorization: `Bearer ${cluster.token}` };
    const { status } = await fetch(`${cluster.hello('actuator').actuator}/pause`, { method: 'POST', headers });
    findings.expect(status === 200, `the actuator's own port answered ${status}`);
  }
  tell(`paused by the ${road}`);
}

/** Who acts, and who orders, at the moments that matter. */
export const ACTUATOR_SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill-actuator',
    title: 'kill -9 actuator at a command, at its claim, during the attempt, and after it',
    shops: ['demo-command', 'demo-claim', 'demo-during', 'demo-after'],
    commands: 4,
    run: async (stage) => {
      await learned(stage);
      await dieAt(stage, 'demo-command', 'command');
      await dieAt(stage, 'demo-claim', 'claim');
      await dieAt(stage, 'demo-during', 'attempt', stage.dice.below(ROLLBACK_MS - 300));
      await dieAt(stage, 'demo-after', 'attempt', ROLLBACK_MS - 50 + stage.dice.below(200));
    },
  },
  {
    name: 'kill-planner-at-command',
    title: 'kill -9 planner when it is told of a fault, and when its command is on record',
    shops: ['demo-before', 'demo-after'],
    commands: 2,
    run: async (stage) => {
      await learned(stage);
      await dieAt(stage, 'demo-before', 'signal', stage.dice.below(200));
      await deployBad(stage, 'demo-after');
      await awaitMoment(stage, 'demo-after', 'command');
      await stage.killAndRestart('planner');
      await awaitMoment(stage, 'demo-after', 'outcome');
    },
  },
  {
    name: 'two-actuators',
    title: 'two actuators see every command, and one dies in the middle',
    shops: ['demo-one', 'demo-two', 'demo-three'],
    cluster: { processes: { actuator: 2 } },
    commands: 3,
    run: async (stage) => {
      await learned(stage);
      await deployBad(stage, 'demo-one');
      await awaitMoment(stage, 'demo-one', 'outcome');
      await dieAt(stage, 'demo-two', 'claim', stage.dice.below(100));
      await dieAt(stage, 'demo-three', 'attempt', stage.dice.below(ROLLBACK_MS));
    },
  },
  killSwitch('port'),
  killSwitch('file'),
];
