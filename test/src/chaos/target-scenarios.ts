import { attemptsOf } from '@flyball/cli';
import type { LinkFault } from '@flyball/testing';
import type { ChaosStage } from './chaos-stage.ts';
import { commandRecords } from './check-commands.ts';
import { awaitMoment, deployBad, learned } from './release.ts';
import type { Scenario } from './scenario.ts';

const LINK = 'actuator-1>twin';

/** What is on record of a shop's command is not denied by what was done: who acted says so, or that nobody knows. */
async function expectHonest(stage: ChaosStage, shop: string): Promise<string> {
  const { outcomes } = await commandRecords(stage);
  const final = outcomes.find(({ type, target }) => type === 'outcome' && target.environment === shop);
  const status = final?.type === 'outcome' ? final.status : 'none';
  const attempts = Object.keys(await attemptsOf(stage.flyball, shop)).length;
  const allowed = attempts > 0 ? ['applied', 'unknown'] : ['unknown', 'failed', 'expired', 'rejected'];
  stage.findings.expect(
    allowed.includes(status),
    `${shop}: ${attempts} attempts reached the target, told as ${status}`,
  );
  return status;
}

/** The way to whoever is acted on fails in an attempt: once until it is over, and once for so short that it can be looked at. */
function partition(name: string, fault: LinkFault, title: string): Scenario {
  return {
    name,
    title,
    cluster: { links: [LINK] },
    shops: ['demo-brief', 'demo-long'],
    commands: 2,
    run: async (stage) => {
      await learned(stage);
      for (const shop of stage.shops) {
        const isBrief = shop === 'demo-brief';
        await stage.during(LINK, fault, async () => {
          await deployBad(stage, shop);
          await awaitMoment(stage, shop, isBrief ? 'claim' : 'outcome');
          // The deadline of an attempt is four seconds here.
          await stage.pass(500, 3_000);
        });
        await awaitMoment(stage, shop, 'outcome');
        const status = await expectHonest(stage, shop);
        stage.findings.note(shop, status);
        if (isBrief && fault !== 'cut') {
          stage.findings.expect(status === 'applied', `${shop}: told as ${status}, though the target could be read`);
        }
      }
      // What was held back arrives late.
      await stage.pass(2_000, 3_000);
      for (const shop of stage.shops) await expectHonest(stage, shop);
    },
  };
}

/** The network between the actuator and the world. */
export const TARGET_SCENARIOS: readonly Scenario[] = [
  partition('partition-target', 'no-answers', 'the target does what it is told, and the actuator never hears of it'),
  partition('partition-target-late', 'clog', 'an order reaches the target late, or when nobody waits for it any more'),
  partition('partition-target-cut', 'cut', 'the target is out of reach in an attempt: no second one is made'),
];
