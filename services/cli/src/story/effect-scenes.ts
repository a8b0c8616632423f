import type { CommandDetail } from '@flyball/api';
import { begin, pause, shop } from './fleet-scenes.ts';
import { commandsOf, type Expectations, follow, incidentsOf, type SceneContext, until } from './scene.ts';

const RECOVERY_MS = 90_000;
/** What a shop of these scenes gets, per second; see `openShop`. */
export const SMALL_SHOP_RPS = 40;
const STORM = {
  capacityPerSecond: SMALL_SHOP_RPS * 1.33,
  queueMax: 150,
  timeoutMs: 1_000,
  retriesMax: 3,
  spikeRatio: 5,
  spikeMs: 4_000,
};

/** A spike tips the shop into a retry storm that stays: a throttle ends it, and is released by itself. */
export async function overload(context: SceneContext): Promise<readonly string[]> {
  const { stage, teller, environment } = context;
  const must = await begin(context);
  teller.say('for 4 s five times as many clients come; who waits for a second gives up and tries again');
  await shop(context, 'overload', STORM);
  const incident = await follow(context, RECOVERY_MS, ({ status }) => status === 'closed');
  must.expect(incident?.resolution === 'verified', `the overload ended as ${incident?.resolution ?? 'nothing'}`);
  const command = await expectEffect(context, must, 'throttle');
  must.expect(command?.command.subject.service === 'web', `throttled: ${command?.command.subject.service}`);
  const { throttle } = await stage.twin<{ throttle: unknown }>('GET', `/rollouts/${environment}/web`);
  must.expect(throttle === null, 'the throttle is still in place');
  const isWell = await until(
    RECOVERY_MS,
    async () => (await stage.client.service(`${environment}:web`)).state === 'ok',
  );
  must.expect(isWell, 'the shop is not well without the throttle');
  teller.say('RELEASED  the storm is over, and does not come back');
  return must.failures;
}

/** One instance of a service is bad: it alone is taken out. */
export async function badInstance(context: SceneContext): Promise<readonly string[]> {
  return instanceScene(context, 'fails in 60 % of its requests', { errorRatio: 0.6 });
}

/** One instance has to fight for its processor, and is slow: it alone is taken out. */
export async function cpuContention(context: SceneContext): Promise<readonly string[]> {
  return instanceScene(context, 'has to share its processor: ten times as slow', { slowness: 10 });
}

async function instanceScene(context: SceneContext, what: string, fault: object): Promise<readonly string[]> {
  const { stage, teller, environment } = context;
  const must = await begin(context);
  const instance = 'checkout-v1-2';
  teller.say(`${instance} ${what}            <- planted`);
  await shop(context, 'faults', { service: 'checkout', version: 'v1', instance, ...fault });
  const loads = await stage.twin<{ instance: string; cpuRatio: number }[]>('GET', `/instances/${environment}`);
  const load = loads.find((each) => each.instance === instance)?.cpuRatio ?? 0;
  teller.say(`its host shows a processor in use to ${Math.round(load * 100)} %`);
  await follow(context, RECOVERY_MS, ({ causes }) => causes.length > 0);
  const { assessment } = await stage.client.service(`${environment}:checkout`);
  if (assessment?.instances === undefined) return expectNothingElse(context, must);
  await follow(context, RECOVERY_MS, ({ status }) => status === 'mitigating' || status === 'closed');
  const verified = await until(RECOVERY_MS, async () => {
    const [command] = await commandsOf(stage, environment);
    return command?.outcomes.some((message) => message.type === 'judgement' && message.status === 'verified') ?? false;
  });
  must.expect(verified, 'nobody saw that the isolation helped');
  const [found] = await commandsOf(stage, environment);
  const { action } = found?.command ?? {};
  const isIt = action?.type === 'isolate' && action.instance === instance;
  must.expect(isIt, `the action: ${action === undefined ? 'none' : JSON.stringify(action)}`);
  teller.say(`ISOLATED  ${instance} gets no requests any more; the others carry on`);
  return must.failures;
}

/** Where nobody judges instances, a bad one must not be taken for a bad release or an overload. */
async function expectNothingElse(context: SceneContext, must: Expectations): Promise<readonly string[]> {
  await pause(8_000);
  const { stage, teller, environment } = context;
  must.expect((await incidentsOf(stage, environment)).length > 0, 'nobody noticed the bad instance');
  must.expect((await commandsOf(stage, environment)).length === 0, 'something else was done about a bad instance');
  teller.say('HELD      instances are not judged yet: nothing else was done about it');
  return must.failures;
}

/** One command with an effect that ended: applied, verified, reverted, in this order. */
async function expectEffect(
  { stage, environment }: SceneContext,
  must: Expectations,
  type: string,
): Promise<CommandDetail | undefined> {
  const commands = await commandsOf(stage, environment);
  const [found] = commands;
  must.expect(commands.length === 1, `${commands.length} commands`);
  must.expect(found?.command.action.type === type, `the action: ${found?.command.action.type ?? 'none'}`);
  const said = (found?.outcomes ?? []).flatMap((each) => (each.type === 'claim' ? [] : [each.status]));
  must.expect(
    said.includes('applied') && said.includes('verified') && said.includes('reverted'),
    `it was ${said.join(', ')}`,
  );
  return found;
}
