import { attemptsOf, until } from '@flyball/cli';
import { signalsCodec } from '@flyball/contracts';
import type { ChaosStage } from './chaos-stage.ts';
import { commandRecords } from './check-commands.ts';
import { topicRecords } from './topic-records.ts';

const LEARN_MS = 90_000;
const REACT_MS = 60_000;
const POLL_MS = 20;
/** Services of a shop of the demo. */
export const SHOP_SERVICES = 6;

/** Moments in the life of a command at which somebody may die. */
export type Moment = 'signal' | 'command' | 'claim' | 'attempt' | 'outcome';

/** Waits until normal was learned of every service of every shop. */
export async function learned({ flyball, findings, shops, tell }: ChaosStage): Promise<void> {
  for (const shop of shops) {
    const isLearned = await until(LEARN_MS, async () => {
      const all = await flyball.client.services().catch(() => []);
      const own = all.filter(({ environment }) => environment === shop);
      return own.length >= SHOP_SERVICES && own.every(({ state }) => state === 'ok');
    });
    findings.expect(isLearned, `normal was not learned in ${shop}`);
  }
  tell('normal is learned');
}

/** A bad release of a shop's checkout. */
export async function deployBad({ flyball, tell }: ChaosStage, shop: string): Promise<void> {
  const release = { service: 'checkout', version: 'v2', errorRatio: 0.3 };
  await flyball.twin('POST', `/shops/${shop}/deploy`, release);
  tell(`a bad release in ${shop}`);
}

/** Waits for a moment in the life of a shop's command. */
export async function awaitMoment(stage: ChaosStage, shop: string, moment: Moment): Promise<boolean> {
  const isThere = await until(REACT_MS, () => hasCome(stage, shop, moment), POLL_MS);
  stage.findings.expect(isThere, `no ${moment} in ${shop}`);
  stage.tell(`${shop}: ${moment}`);
  return isThere;
}

async function hasCome(stage: ChaosStage, shop: string, moment: Moment): Promise<boolean> {
  if (moment === 'attempt') return Object.keys(await attemptsOf(stage.flyball, shop)).length > 0;
  if (moment === 'signal') {
    const records = (await topicRecords(stage.log, 'flyball.signals')).flatMap(({ stored }) => stored);
    return records
      .map((record) => signalsCodec.decode(record))
      .some((message) => message.type === 'signal' && message.subject.environment === shop);
  }
  const { commands, outcomes } = await commandRecords(stage);
  if (moment === 'command') return commands.some(({ target }) => target.environment === shop);
  return outcomes.some(({ type, target }) => type === moment && target.environment === shop);
}
