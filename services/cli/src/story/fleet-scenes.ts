import type { ApprovalView } from '@flyball/api';
import type { Incident } from '@flyball/contracts';
import {
  attemptsOf,
  commandsOf,
  Expectations,
  follow,
  incidentsOf,
  learned,
  type SceneContext,
  until,
} from './scene.ts';

const RECOVERY_MS = 60_000;
/** Nothing may happen for so long. */
const HOLD_MS = 8_000;
const BAD_RELEASE = { service: 'checkout', version: 'v2', errorRatio: 0.3 };

/** What a service depends on is gone, just after a release of it: the release is not to blame. */
export async function dependencyDown(context: SceneContext): Promise<readonly string[]> {
  const must = await begin(context);
  const { teller } = context;
  teller.say('deploy checkout v2, which is well; then payment goes down    <- planted');
  await shop(context, 'deploy', { service: 'checkout', version: 'v2' });
  await pause(4_000);
  await shop(context, 'down', { service: 'payment' });
  const isBlamed = ({ causes }: Incident) => causes[0]?.subject.service === 'payment';
  const incident = await follow(context, RECOVERY_MS, isBlamed);
  must.expect(incident !== undefined && isBlamed(incident), 'nobody blamed payment, which is down');
  await pause(HOLD_MS);
  await expectUntouched(context, must);
  teller.say('HELD      checkout v2 was not rolled back for what payment did');
  await shop(context, 'heal', { service: 'payment' });
  await expectWell(context, must);
  return must.failures;
}

/** A service is slow for the network to one of its callees: there is nothing to roll back, to throttle or to isolate. */
export async function slowNetwork(context: SceneContext): Promise<readonly string[]> {
  const must = await begin(context);
  const { teller } = context;
  teller.say('the network from checkout to inventory becomes slow          <- planted: 80 ms more');
  await shop(context, 'links', { caller: 'checkout', callee: 'inventory', addedMs: 80 });
  const incident = await follow(context, RECOVERY_MS, ({ causes }) => causes.length > 0);
  must.expect(incident !== undefined, 'nobody noticed the slow network');
  await pause(HOLD_MS);
  await expectUntouched(context, must);
  teller.say('HELD      nothing that can be done would help');
  await shop(context, 'heal', { service: 'inventory' });
  await expectWell(context, must);
  return must.failures;
}

/** A bad release that somebody brings back after it was rolled back: once is enough, then a person must look. */
export async function flapping(context: SceneContext): Promise<readonly string[]> {
  const { stage, teller, environment } = context;
  const must = await begin(context);
  teller.say('deploy checkout v2                                           <- planted: 30 % errors');
  await shop(context, 'deploy', BAD_RELEASE);
  const first = await follow(context, RECOVERY_MS, ({ status }) => status === 'closed');
  must.expect(first?.resolution === 'verified', `the first rollback: ${first?.resolution ?? 'nothing'}`);
  teller.say('deploy checkout v2 again: somebody fights the rollback');
  await shop(context, 'deploy', BAD_RELEASE);
  const isRefused = (each: Incident) => each.incidentId !== first?.incidentId && refusals(each).includes('cooldown');
  const again = await follow(context, RECOVERY_MS, isRefused);
  must.expect(again !== undefined && isRefused(again), 'nobody refused to roll back again');
  await pause(HOLD_MS);
  const commands = await commandsOf(stage, environment);
  must.expect(commands.length === 1, `${commands.length} commands: it flaps`);
  teller.say('HELD      one rollback; what comes back is for a person');
  return must.failures;
}

/** A policy that must ask: nothing is done before a person's yes to exactly what is shown. */
export async function needsApproval(context: SceneContext): Promise<readonly string[]> {
  const { stage, teller, environment } = context;
  const must = await begin(context);
  teller.say('deploy checkout v2                                           <- planted: 30 % errors');
  await shop(context, 'deploy', BAD_RELEASE);
  let asked: ApprovalView | undefined;
  const find = async () => {
    const { items } = await stage.client.request<{ items: ApprovalView[] }>('GET', '/v1/approvals');
    asked = items.find((item) => item.environment === environment && item.status === 'pending');
    return asked !== undefined;
  };
  must.expect(await until(RECOVERY_MS, find), 'nobody was asked');
  if (asked === undefined) return must.failures;
  teller.say(
    `ASKED     ${asked.commandId}: ${asked.action}? touches ${Math.round(asked.blast.trafficRatio * 100)} % of it`,
  );
  await pause(HOLD_MS);
  await expectUntouched(context, must);
  const path = `/v1/approvals/${asked.commandId}`;
  const other = { verdict: 'approve', digest: 'f'.repeat(64) };
  const refusal = await stage.client.request('POST', path, other).catch((error: unknown) => String(error));
  must.expect(String(refusal).includes('APPROVAL_CHANGED'), `a yes to something else: ${String(refusal)}`);
  teller.say(`flyball approve ${asked.commandId}`);
  await stage.client.request('POST', path, { verdict: 'approve', digest: asked.digest, reason: 'the story says so' });
  const incident = await follow(context, RECOVERY_MS, ({ status }) => status === 'closed');
  must.expect(incident?.resolution === 'verified', `after the yes: ${incident?.resolution ?? 'nothing'}`);
  const [found] = await commandsOf(stage, environment);
  must.expect(found?.command.approval?.digest === asked.digest, 'the command does not name its approval');
  return must.failures;
}

/** A canary of which a request comes every five seconds: slow to be sure of, and caught all the same. */
export async function smallCanary(context: SceneContext): Promise<readonly string[]> {
  const must = await begin(context);
  const { teller } = context;
  teller.say('deploy checkout v2 to 0.2 requests/s                         <- planted: 80 % errors');
  await shop(context, 'deploy', { service: 'checkout', version: 'v2', errorRatio: 0.8, canaryRatio: 0.008 });
  const incident = await follow(context, 120_000, ({ status }) => status === 'closed');
  must.expect(incident?.resolution === 'verified', `a canary of few requests: ${incident?.resolution ?? 'nothing'}`);
  const [found] = await commandsOf(context.stage, context.environment);
  must.expect(found?.command.action.type === 'rollback', 'it was not rolled back');
  return must.failures;
}

/** Fewer requests come, and nothing is wrong: nothing is done. */
export async function lessTraffic(context: SceneContext): Promise<readonly string[]> {
  const must = await begin(context);
  const { teller } = context;
  teller.say('seven of ten clients go home                                 <- no fault');
  await shop(context, 'traffic', { ratio: 0.3 });
  await pause(20_000);
  await expectUntouched(context, must);
  const opened = await incidentsOf(context.stage, context.environment);
  must.expect(opened.length === 0, `an incident without a fault: ${opened[0]?.title}`);
  teller.say('HELD      no incident: fewer requests are no fault');
  return must.failures;
}

/** Learns normal first. */
export async function begin(context: SceneContext): Promise<Expectations> {
  const must = new Expectations();
  must.expect(await learned(context), 'normal was not learned');
  return must;
}

/** Does something to the shop of a scene. */
export function shop({ stage, environment }: SceneContext, what: string, body: object): Promise<unknown> {
  return stage.twin('POST', `/shops/${environment}/${what}`, body);
}

export function pause(spanMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, spanMs));
}

/** Nothing was ordered, and nothing reached the shop. */
async function expectUntouched({ stage, environment }: SceneContext, must: Expectations): Promise<void> {
  const commands = await commandsOf(stage, environment);
  must.expect(commands.length === 0, `a command was issued: ${commands[0]?.command.decision.sentence}`);
  must.expect(Object.keys(await attemptsOf(stage, environment)).length === 0, 'the shop was acted on');
}

/** The shop recovers once its fault is mended. An incident may stay open for longer: an error budget remembers. */
async function expectWell({ stage, environment }: SceneContext, must: Expectations): Promise<void> {
  const stateOf = async (service: string) => (await stage.client.service(`${environment}:${service}`)).state;
  const isWell = await until(RECOVERY_MS, async () => (await stateOf('checkout')) === 'ok');
  must.expect(isWell, 'checkout is not well though all is mended');
}

/** Gates that refused in any decision of an incident. */
function refusals({ decisions }: Incident): readonly string[] {
  return decisions.flatMap(({ gates }) => gates.filter(({ passed }) => !passed).map(({ gate }) => gate));
}
