import { type Command, commandDigest, commandsCodec, controlCodec, signalsCodec, targetKey } from '@flyball/contracts';
import { Marks, provenanceOf, type StoredRecord } from '@flyball/runtime';
import { recordsOf } from '@flyball/testing';
import { checkReplay, runLog } from '../chaos/check-replay.ts';
import { Findings } from '../chaos/findings.ts';
import { LANES, type LineRun, outcomesOf, simulatedSpecs } from './line-world.ts';
import { questionsIn } from './operator.ts';
import { LIVELY } from './story-policies.ts';

const SECOND = 1_000;
/** An effect may be undone so much after its end: an actuator may be dead, and comes back at the end of a run. */
const UNDONE_LATE_MS = 200 * SECOND;

/** In what a run with words at random times has broken a promise; and how often what can be broken has happened. */
export interface LivelyReport {
  readonly breaches: readonly string[];
  readonly seen: Readonly<
    Record<'commands' | 'throttles' | 'isolations' | 'undone' | 'approved' | 'questions', number>
  >;
}

/** Looks at a run whose end has come: no order without leave, none twice in effect, all undone in time, and the same again. */
export async function livelyBreaches({ log, target }: LineRun): Promise<LivelyReport> {
  const findings = new Findings();
  await checkReplay(await runLog(log, LANES), simulatedSpecs(), findings);
  const breaches = [...findings.failures];
  const commands = await past(log, 'remediation.commands');
  const questions = new Map((await questionsIn(log)).map((asked) => [asked.commandId, asked]));
  const byTarget = new Map<string, Command>();
  for (const { record, partition } of commands) {
    const command = commandsCodec.decode(record);
    const origin = provenanceOf(record.headers)!;
    const why = await withoutLeave(log, command, {
      partition: Number(/\/(\d+)$/.exec(origin.origin)?.[1] ?? partition),
      offset: origin.position,
      expiresAtMs: questions.get(command.commandId)?.expiresAtMs,
    });
    breaches.push(...why.map((each) => `${command.commandId}: ${each}`));
    const key = targetKey(command.target);
    const before = byTarget.get(key);
    const cooldownMs = LIVELY.cooldownSeconds[command.policy.name]! * SECOND;
    if (before !== undefined && command.issuedAtMs - before.issuedAtMs < cooldownMs) breaches.push(`${key}: too soon`);
    byTarget.set(key, command);
    breaches.push(...deedsOf(command, target.deeds));
  }
  const all = commands.map(({ record }) => commandsCodec.decode(record));
  breaches.push(...(await whilePaused(log, target.deeds)));
  breaches.push(...(await withoutEnd(log, all)));
  for (const service of ['web', 'cart', 'checkout']) {
    if (target.isRestrained('demo', service)) breaches.push(`${service} is still restrained`);
  }
  const count = (type: string) => all.filter(({ action }) => action.type === type).length;
  const seen = {
    ...{ commands: all.length, throttles: count('throttle'), isolations: count('isolate') },
    undone: target.deeds.filter(({ what }) => what === 1).length,
    approved: all.filter(({ approval }) => approval !== null).length,
    questions: questions.size,
  };
  return { breaches, seen };
}

interface Leave {
  /** Lane of the planner, and the entry by which it has decided. */
  readonly partition: number;
  readonly offset: number;
  /** Until when the question could be answered, if there was one. */
  readonly expiresAtMs: number | undefined;
}

/** What forbids a command, by the words that its planner had been told: a reading of its own, that shares no code with the gates. */
async function withoutLeave(log: LineRun['log'], command: Command, { partition, offset, expiresAtMs }: Leave) {
  let isPaused = true;
  const silences = new Map<string, { service: string; untilMs: number }>();
  const freezes = new Map<string, { fromMs: number; untilMs: number }>();
  const answers: { type: string; digest: string; atMs: number }[] = [];
  const marks = new Marks();
  for (const record of await recordsOf(log, { topic: 'flyball.signals', partition })) {
    if (record.offset > offset) break;
    if (!marks.raise(provenanceOf(record.headers), record.appendedAtMs)) continue;
    const message = signalsCodec.decode(record);
    if (message.type !== 'relayed') continue;
    const { fact, atMs } = message;
    if (fact.type === 'pause' || fact.type === 'resume') isPaused = fact.type === 'pause';
    else if (fact.type === 'silence') silences.set(fact.silenceId, fact);
    else if (fact.type === 'unsilence') silences.delete(fact.silenceId);
    else if (fact.type === 'freeze') freezes.set(fact.freezeId, fact);
    else if (fact.type === 'unfreeze') freezes.delete(fact.freezeId);
    else if ((fact.type === 'approve' || fact.type === 'deny') && fact.commandId === command.commandId) {
      answers.push({ type: fact.type, digest: fact.digest, atMs });
    }
  }
  const nowMs = command.issuedAtMs;
  const isMeant = ({ service }: { service: string }) =>
    service.endsWith('*')
      ? command.subject.service.startsWith(service.slice(0, -1))
      : service === command.subject.service;
  const why: string[] = [];
  if (isPaused) why.push('issued while paused');
  if ([...silences.values()].some((each) => isMeant(each) && each.untilMs > nowMs)) why.push('issued while silenced');
  if ([...freezes.values()].some(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs)) why.push('while frozen');
  if (!LIVELY.asks.has(command.policy.name)) return why;
  const valid = answers.filter((each) => each.digest === commandDigest(command) && each.atMs < (expiresAtMs ?? 0));
  if (valid[0]?.type !== 'approve') why.push('issued without a yes in time');
  return why;
}

/** A command takes effect once, and is undone at its end: not before, and not much later. */
function deedsOf({ commandId, ttlMs }: Command, deeds: LineRun['target']['deeds']): readonly string[] {
  const mine = deeds.filter((deed) => deed.commandId === commandId);
  const applied = mine.filter(({ what }) => what === 'apply');
  if (applied.length > 1) return [`${commandId}: attempted ${applied.length} times`];
  const steps = mine.filter(({ what }) => what !== 'apply');
  const [first] = steps;
  if (first === undefined) return [];
  if (ttlMs === null || applied[0] === undefined) return [`${commandId}: undone, though it is for good or never was`];
  const dueMs = applied[0].atMs + ttlMs;
  if (first.atMs < dueMs) return [`${commandId}: undone ${dueMs - first.atMs} ms before its end`];
  return steps.at(-1)!.atMs > dueMs + UNDONE_LATE_MS ? [`${commandId}: undone too late`] : [];
}

/** Effects that started though a pause had been on record for a second. */
async function whilePaused(log: LineRun['log'], deeds: LineRun['target']['deeds']): Promise<readonly string[]> {
  const switches: { isPaused: boolean; atMs: number }[] = [];
  for (const { record } of await past(log, 'flyball.control')) {
    const word = controlCodec.decode(record);
    if (word.type !== 'pause' && word.type !== 'resume') continue;
    switches.push({ isPaused: word.type === 'pause', atMs: record.appendedAtMs });
  }
  return deeds.flatMap(({ what, atMs, commandId }) => {
    if (what !== 'apply') return [];
    const before = switches.filter((each) => each.atMs <= atMs);
    const last = before.at(-1);
    const isPaused = last !== undefined && last.isPaused && atMs - last.atMs > SECOND;
    return isPaused ? [`${commandId}: took effect while paused`] : [];
  });
}

/** Commands of which nobody has said what became of them. */
async function withoutEnd(log: LineRun['log'], commands: readonly Command[]): Promise<readonly string[]> {
  const ended = new Set<string>();
  for (const said of await outcomesOf(log)) if (said.type === 'outcome') ended.add(said.commandId);
  return commands.filter(({ commandId }) => !ended.has(commandId)).map(({ commandId }) => `${commandId} has no end`);
}

async function past(log: LineRun['log'], topic: string) {
  const found: { readonly record: StoredRecord; readonly partition: number }[] = [];
  for (let partition = 0; partition < LANES; partition += 1) {
    const marks = new Marks();
    for (const record of await recordsOf(log, { topic, partition })) {
      if (marks.raise(provenanceOf(record.headers), record.appendedAtMs)) found.push({ record, partition });
    }
  }
  return found;
}
