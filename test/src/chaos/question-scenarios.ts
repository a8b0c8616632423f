import type { ApprovalView } from '@flyball/api';
import { until } from '@flyball/cli';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ChaosStage } from './chaos-stage.ts';
import { awaitMoment, deployBad, learned } from './release.ts';
import type { Scenario } from './scenario.ts';

/** Where a person must say yes to a rollback; in `hasty` environments within 15 s. */
export const POLICIES_DIR = fileURLToPath(new URL('./policies', import.meta.url));
const [YES, SILENT] = ['careful-one', 'hasty-one'];
const REACT_MS = 60_000;

/** The newest question in a shop. */
async function questionIn({ flyball }: ChaosStage, shop: string): Promise<ApprovalView | undefined> {
  const asked = await flyball.client.list<ApprovalView>('/v1/approvals').catch(() => []);
  return asked.find(({ environment }) => environment === shop);
}

async function awaitQuestion(stage: ChaosStage, shop: string): Promise<ApprovalView | undefined> {
  let found: ApprovalView | undefined;
  await until(REACT_MS, async () => {
    found = await questionIn(stage, shop);
    return found !== undefined;
  });
  stage.findings.expect(found !== undefined, `nobody was asked in ${shop}`);
  stage.tell(`${shop}: a question`);
  return found;
}

/** A question that waits is the same, whoever has died. */
async function expectSame(stage: ChaosStage, before: ApprovalView): Promise<void> {
  const after = await questionIn(stage, before.environment);
  const isSame = JSON.stringify(after) === JSON.stringify(before);
  stage.findings.expect(isSame, `another question: ${JSON.stringify(after)}, was ${JSON.stringify(before)}`);
}

/** What waits for a person. */
export const QUESTION_SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill-planner-at-question',
    title: 'kill -9 planner while two questions wait: the one that is answered gives one command, the other is a no',
    cluster: { policiesDir: POLICIES_DIR },
    shops: [YES, SILENT],
    commands: 1,
    run: async (stage) => {
      const { cluster, flyball, findings } = stage;
      await learned(stage);
      await Promise.all([YES, SILENT].map((shop) => deployBad(stage, shop)));
      const [asked, unheard] = [await awaitQuestion(stage, YES), await awaitQuestion(stage, SILENT)];
      if (asked === undefined || unheard === undefined) return;
      await stage.pass(0, 2_000);
      await cluster.services.kill('planner-1');
      stage.tell('kill -9 of the planner');
      await pause(Math.max(0, unheard.expiresAtMs - Date.now()) + stage.dice.below(2_000));
      await expectSame(stage, asked);
      const answer = ({ commandId, digest }: ApprovalView) =>
        flyball.client.request('POST', `/v1/approvals/${commandId}`, { verdict: 'approve', digest });
      const late = await answer(unheard).then(
        () => 'taken',
        (error: unknown) => String(error),
      );
      findings.expect(late.includes('APPROVAL_EXPIRED'), `a yes that came too late: ${late}`);
      await cluster.services.restart('planner-1');
      stage.tell('the planner is back, and one question is over');
      await stage.healed();
      await expectSame(stage, asked);
      await answer(asked);
      stage.tell('a yes');
      await stage.pass(0, 300);
      await stage.killAndRestart('planner');
      await awaitMoment(stage, YES, 'outcome');
      const isOver = await until(REACT_MS, async () => (await questionIn(stage, SILENT))?.status === 'expired');
      findings.expect(isOver, 'the question that nobody answered is not over');
    },
  },
];
