import { verifyAudit } from '@flyball/audit-files';
import type { Incident } from '@flyball/contracts';
import type { Stage } from './stage.ts';
import {
  attemptsOf,
  commandsOf,
  Expectations,
  follow,
  incidentOf,
  learned,
  type SceneContext,
  until,
} from './scene.ts';

const RECOVERY_MS = 60_000;
const HOLD_MS = 8_000;
/** What is on record is shown within so many ms. */
const SHOWN_MS = 5_000;

/** A bad release is caught, rolled back once, verified. `fault` is what is wrong with it. */
export async function badRelease(
  context: SceneContext,
  fault: { errorRatio?: number; slowness?: number },
): Promise<readonly string[]> {
  const { stage, teller, environment } = context;
  const must = new Expectations();
  must.expect(await learned(context), 'normal was not learned');
  const planted = fault.errorRatio === undefined ? `${fault.slowness}x as slow` : `${fault.errorRatio * 100} % errors`;
  teller.say(`deploy checkout v2 (5 % -> 25 % canary)            <- planted: ${planted}`);
  await stage.twin('POST', `/shops/${environment}/deploy`, { service: 'checkout', version: 'v2', ...fault });
  const incident = await follow(context, RECOVERY_MS, ({ status }) => status === 'closed');
  await expectOneRollback(context, must, incident);
  if (incident !== undefined) tellTimes(context, incident);
  return must.failures;
}

/** Telemetry goes dark in the middle of a release: nothing may be concluded, and nothing done. */
export async function blackout(context: SceneContext): Promise<readonly string[]> {
  const { stage, teller, environment } = context;
  const must = new Expectations();
  must.expect(await learned(context), 'normal was not learned');
  teller.say('deploy checkout v2, and a second later all telemetry of this shop stops');
  await stage.twin('POST', `/shops/${environment}/deploy`, { service: 'checkout', version: 'v2' });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await stage.twin('POST', `/shops/${environment}/darkness`, { isDark: true });
  const seen = await follow(context, 20_000, ({ timeline }) => timeline.some(({ kind }) => kind === 'blind'));
  must.expect(seen !== undefined && seen.signals.length === 0, 'blindness was not named, or was taken for a signal');
  await new Promise((resolve) => setTimeout(resolve, HOLD_MS));
  const { assessment } = await stage.client.service(`${environment}:checkout`);
  const verdicts = [assessment?.errorsSli.verdict, ...(assessment?.versions.map(({ verdict }) => verdict) ?? [])];
  must.expect(
    verdicts.every((verdict) => verdict === 'insufficient'),
    `a verdict was given in the dark: ${verdicts.join(' ')}`,
  );
  must.expect((await commandsOf(stage, environment)).length === 0, 'a command was issued in the dark');
  teller.say('HELD      no verdict, no promotion, no rollback while nobody can see');
  await stage.twin('POST', `/shops/${environment}/darkness`, { isDark: false });
  const closed = await follow(context, 40_000, ({ status }) => status === 'closed');
  must.expect(closed?.resolution === 'blind', `the blackout ended as ${closed?.resolution ?? 'nothing'}`);
  must.expect(Object.keys(await attemptsOf(stage, environment)).length === 0, 'the shop was acted on');
  return must.failures;
}

/** The fault was there before the release: a rollback would not help, and is refused by name. */
export async function faultBefore(context: SceneContext): Promise<readonly string[]> {
  const { stage, teller, environment } = context;
  const must = new Expectations();
  must.expect(await learned(context), 'normal was not learned');
  teller.say('checkout v1 begins to fail by itself                <- planted: 18 % errors');
  await stage.twin('POST', `/shops/${environment}/faults`, { service: 'checkout', version: 'v1', errorRatio: 0.18 });
  await until(30_000, async () => {
    const service = await stage.client.service(`${environment}:checkout`);
    return service.assessment?.errorsSli.verdict === 'fail';
  });
  // Long enough that nobody could mistake the order.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  teller.say('deploy checkout v2, which has the same fault');
  await stage.twin('POST', `/shops/${environment}/deploy`, { service: 'checkout', version: 'v2', errorRatio: 0.18 });
  const refusedBy = ({ decisions }: Incident) =>
    decisions.flatMap(({ gates }) => gates.filter(({ passed }) => !passed).map(({ gate }) => gate));
  const incident = await follow(context, 40_000, (each) => refusedBy(each).includes('veto_preexisting'));
  must.expect(incident !== undefined && refusedBy(incident).includes('veto_preexisting'), 'the veto was not recorded');
  await new Promise((resolve) => setTimeout(resolve, HOLD_MS));
  must.expect((await commandsOf(stage, environment)).length === 0, 'a command was issued');
  must.expect(Object.keys(await attemptsOf(stage, environment)).length === 0, 'the shop was acted on');
  const after = await incidentOf(stage, environment);
  must.expect(after?.decisions.every(({ verdict }) => verdict === 'declined') === true, 'a decision did not decline');
  teller.say('HELD      the fault is older than the release: nothing was rolled back');
  return must.failures;
}

/** The whole of Flyball dies in the middle of a rollback, comes back, and finishes it without a second attempt. */
export async function killedInMidRollback(context: SceneContext): Promise<readonly string[]> {
  const { stage, teller, environment } = context;
  const must = new Expectations();
  must.expect(await learned(context), 'normal was not learned');
  teller.say('deploy checkout v2                                  <- planted: 18 % errors');
  await stage.twin('POST', `/shops/${environment}/deploy`, { service: 'checkout', version: 'v2', errorRatio: 0.18 });
  // The order has reached the shop, which takes its time to carry it out: Flyball waits for an answer that it never gets.
  const isUnderWay = await until(
    RECOVERY_MS,
    async () => Object.keys(await attemptsOf(stage, environment)).length > 0,
    30,
  );
  must.expect(isUnderWay, 'no rollback was under way');
  await stage.kill();
  teller.say('KILLED    kill -9 of the whole process, in the middle of the rollback');
  await stage.restart();
  teller.say('BACK      same data, same ports');
  const incident = await follow(context, RECOVERY_MS, ({ status }) => status === 'closed');
  const attempts = await expectOneRollback(context, must, incident);
  teller.note('ledger', `the shop counted ${JSON.stringify(attempts)}: one attempt`);
  const [found] = await commandsOf(stage, environment);
  const outcome = found?.outcomes.find((message) => message.type === 'outcome');
  teller.note(
    'outcome',
    `${outcome?.status} by ${outcome?.by}: the one who came back looked at the shop, and did not try again`,
  );
  return must.failures;
}

/** One command, one attempt, applied, verified, on record in an audit that holds. Returns the shop's own ledger. */
async function expectOneRollback(
  { stage, teller, environment }: SceneContext,
  must: Expectations,
  incident: Incident | undefined,
): Promise<Record<string, number>> {
  must.expect(
    incident?.status === 'closed' && incident.resolution === 'verified',
    `incident: ${incident?.status} ${incident?.resolution}`,
  );
  const [cause] = incident?.causes ?? [];
  must.expect(
    cause?.subject.service === 'checkout' && cause.version === 'v2',
    `cause: ${cause?.subject.service} ${cause?.version}`,
  );
  // What is shown of commands comes by another road than what is shown of incidents.
  let commands = await commandsOf(stage, environment);
  await until(SHOWN_MS, async () => {
    commands = await commandsOf(stage, environment);
    return commands.every(({ status }) => status === 'verified');
  });
  must.expect(
    commands.length === 1 && commands[0]?.status === 'verified',
    `commands: ${commands.map(({ status }) => status).join(' ') || 'none'}`,
  );
  const attempts = await attemptsOf(stage, environment);
  const counts = Object.entries(attempts);
  must.expect(counts.length === 1 && counts[0]?.[1] === 1, `attempts at the shop: ${JSON.stringify(attempts)}`);
  must.expect(counts[0]?.[0] === commands[0]?.command.commandId, 'the shop was acted on by another command');
  const missing = await missingFromAudit(stage, counts[0]?.[0]);
  must.expect(missing.length === 0, `the audit has no ${missing.join(', ')}`);
  const rollout = await stage.twin<{ stable: string; canary: string | null }>(
    'GET',
    `/rollouts/${environment}/checkout`,
  );
  must.expect(rollout.stable === 'v1' && rollout.canary === null, 'the shop does not show v1 alone');
  const reports = verifyAudit(stage.auditedDir);
  must.expect(
    reports.length === 1 && reports.every(({ ok }) => ok),
    `audit: ${reports.map(({ problem }) => problem).join(' ')}`,
  );
  teller.note('audit', `chain ok, ${reports[0]?.entries ?? 0} entries, signed to ${reports[0]?.signedSeq ?? 0}`);
  return attempts;
}

/** Facts of a command that its audit does not have, though they had a moment to get there: it comes after everything else. */
async function missingFromAudit(stage: Stage, commandId: string | undefined): Promise<readonly string[]> {
  const wanted = ['command', 'claim', 'outcome', 'judgement'];
  let missing: readonly string[] = wanted;
  await until(SHOWN_MS, async () => {
    const facts = (await stage.client.audit()).map(({ fact }) => fact);
    const types = new Set(facts.filter((fact) => fact['commandId'] === commandId).map(({ type }) => type));
    missing = wanted.filter((type) => !types.has(type));
    return missing.length === 0;
  });
  return missing;
}

function tellTimes({ teller }: SceneContext, incident: Incident): void {
  const at = (kind: string) => incident.timeline.find((entry) => entry.kind === kind)?.atMs;
  const span = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? '?' : `${((to - from) / 1_000).toFixed(1)} s`;
  const [signal, command, judgement] = [at('signal'), at('command'), at('judgement')];
  const detect = span(incident.startedAtMs, signal);
  teller.note(
    'times',
    `detected ${detect} after the onset, decided in ${span(signal, command)}, recovery proven in ${span(command, judgement)}`,
  );
  const acted = incident.decisions.find(({ verdict }) => verdict === 'acted');
  if (acted === undefined) return;
  teller.note('gates', `${acted.gates.length} passed: ${acted.gates.map(({ gate }) => gate).join(' ')}`);
  teller.note('What if?', acted.counterfactual);
  teller.note('Why?', `flyball explain ${incident.incidentId}`);
}
