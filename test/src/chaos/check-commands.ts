import { verifyAudit } from '@flyball/audit-files';
import { attemptsOf, until } from '@flyball/cli';
import { type Command, commandsCodec, outcomesCodec, type OutcomesMessage, signalsCodec } from '@flyball/contracts';
import { type ChaosStage, SENDER_ENVIRONMENT } from './chaos-stage.ts';
import type { Findings } from './findings.ts';
import { topicRecords } from './topic-records.ts';

const SETTLE_MS = 30_000;

/** Commands, and all that is on record of them, past the marks. */
export interface CommandRecords {
  readonly commands: readonly Command[];
  readonly outcomes: readonly OutcomesMessage[];
}

/** Reads commands and outcomes. */
export async function commandRecords({ log }: ChaosStage): Promise<CommandRecords> {
  const commands = (await topicRecords(log, 'remediation.commands')).flatMap(({ counted }) => counted);
  const outcomes = (await topicRecords(log, 'remediation.outcomes')).flatMap(({ counted }) => counted);
  return {
    commands: commands.map((record) => commandsCodec.decode(record)),
    outcomes: outcomes.map((record) => outcomesCodec.decode(record)),
  };
}

/** Waits until every command has a final outcome. */
async function settled(stage: ChaosStage): Promise<CommandRecords> {
  let found: CommandRecords = { commands: [], outcomes: [] };
  await until(SETTLE_MS, async () => {
    found = await commandRecords(stage);
    return found.commands.every(({ commandId }) => outcomesOf(found, commandId).length > 0);
  });
  return found;
}

const outcomesOf = ({ outcomes }: CommandRecords, commandId: string) =>
  outcomes.filter((message) => message.commandId === commandId && message.type === 'outcome');

/** A command gets at most one attempt, by the ledger of whoever was acted on, and an end; a decision gives one command. */
export async function checkCommands(stage: ChaosStage, wanted: number, findings: Findings): Promise<void> {
  const found = await settled(stage);
  const { commands } = found;
  const ids = new Set(commands.map(({ commandId }) => commandId));
  findings.expect(commands.length === ids.size, `${commands.length} commands, but ${ids.size} ids`);
  findings.expect(ids.size === wanted, `${ids.size} commands, wanted ${wanted}`);
  const decisions = new Set(commands.map(({ decision }) => decision.decisionId));
  findings.expect(decisions.size === ids.size, `${ids.size} commands of ${decisions.size} decisions`);
  const open = [...ids].filter((id) => outcomesOf(found, id).length === 0);
  findings.none(open, 'commands without an outcome');
  const attempts: [string, number][] = [];
  for (const shop of stage.shops) attempts.push(...Object.entries(await attemptsOf(stage.flyball, shop)));
  findings.none(
    attempts.filter(([, count]) => count > 1).map(([id, count]) => `${id} ${count}x`),
    'commands were attempted more than once',
  );
  findings.none(
    attempts.filter(([id]) => !ids.has(id)).map(([id]) => id),
    'attempts of commands that are not on record',
  );
  const statuses = [...ids].map((id) => outcomesOf(found, id).map((each) => each.type === 'outcome' && each.status)[0]);
  findings.note('commands', ids.size);
  findings.note('attempts', attempts.map(([, count]) => count).join(' ') || 0);
  findings.note('outcomes', statuses.join(' ') || 'none');
}

/** Everything that was said, ordered and done is in the audit, once and in a chain that holds. */
export async function checkAudit(stage: ChaosStage, findings: Findings): Promise<void> {
  let said = '';
  const isWell = await until(SETTLE_MS, async () => {
    const topics = ['flyball.control', 'remediation.commands', 'remediation.outcomes'];
    let facts = 0;
    for (const topic of topics) {
      facts += (await topicRecords(stage.log, topic)).reduce((sum, { counted }) => sum + counted.length, 0);
    }
    const [report, ...others] = verifyAudit(stage.flyball.auditedDir);
    said = `${facts} facts, ${report?.entries} entries, signed to ${report?.signedSeq}: ${report?.problem}`;
    return others.length === 0 && report?.ok === true && report.entries === facts && report.signedSeq === facts;
  });
  findings.expect(isWell, `the audit does not hold: ${said}`);
  findings.note('audit', said.split(',')[0]!);
}

/** Nothing about the sender's services ever changes: whatever is signalled of them was made up. */
export async function checkSilence(stage: ChaosStage, findings: Findings): Promise<void> {
  const records = (await topicRecords(stage.log, 'flyball.signals')).flatMap(({ counted }) => counted);
  const signals = records
    .map((record) => signalsCodec.decode(record))
    .filter((message) => message.type === 'signal' && message.subject.environment === SENDER_ENVIRONMENT)
    // Its rate is its own: it stops at the end of a run, which is a drop of traffic.
    .filter((message) => message.type === 'signal' && message.kind !== 'traffic')
    // Two in a hundred fail, and one is what is promised: that burns, and six times as fast when the first hundred have bad luck.
    .filter((message) => message.type === 'signal' && !message.series.startsWith('burn'))
    .map((signal) => JSON.stringify(signal).slice(0, 200));
  findings.none(signals, 'signals about services that are well');
}
