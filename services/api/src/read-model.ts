import {
  type Approval,
  type Assessment,
  auditCodec,
  type AuditEntry,
  type ChangeWord,
  type Command,
  commandsCodec,
  controlCodec,
  type Incident,
  incidentsCodec,
  outcomesCodec,
  type OutcomesMessage,
  type Scope,
  signalsCodec,
  type Topic,
  type Window,
  type WindowKind,
  windowsCodec,
} from '@flyball/contracts';
import { AppError, RejectedError } from '@flyball/core';
import { hotSources } from '@flyball/host';
import {
  type HotService,
  type HotStore,
  isNews,
  type Log,
  Marks,
  type Partition,
  type StoredRecord,
} from '@flyball/runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChangeFeed } from './change-feed.ts';
import { inboxLines } from './inbox-reader.ts';
import { ObjectiveWords } from './objective-words.ts';
import { QuietWords } from './quiet-words.ts';
import { RemarkWords } from './remark-words.ts';
import { Ring } from './ring.ts';
import { SetupWords } from './setup-words.ts';

const IDLE_WAIT_MS = 1_000;
/** After the log did not answer. */
const RETRY_WAIT_MS = 200;
const READ_BYTES_MAX = 1_000_000;
/** What is kept in memory; older things are in the log and the archive. */
const INCIDENTS_KEPT = 1_000;
const COMMANDS_KEPT = 1_000;
const AUDIT_KEPT = 10_000;
const CHANGES_KEPT = 2_000;

/** A service as the newest windows and assessments show it. */
export interface ServiceView {
  /** Routing key of its subject. */
  readonly key: string;
  readonly assessment: Assessment | undefined;
  /** End of the last window with a span, ms. */
  readonly lastSeenAtMs: number | null;
}

/** A command with all that was said of it. */
export interface CommandView {
  readonly command: Command;
  readonly outcomes: OutcomesMessage[];
}

/**
 * Everything that the API shows. Services and windows come from the hot store, which somebody else fills; all else is
 * followed from the topics. It can be thrown away: a start builds it again.
 */
export class ReadModel {
  readonly incidents = new Map<string, Incident>();
  readonly commands = new Map<string, CommandView>();
  readonly audit = new Ring<AuditEntry>(AUDIT_KEPT);
  /** Silences and freezes. */
  readonly quiet = new QuietWords();
  /** What services promise. */
  readonly objectives = new ObjectiveWords();
  /** What people said of incidents. */
  readonly remarks = new RemarkWords();
  /** Policies and bindings. */
  readonly setup = new SetupWords();
  /** What was changed in the world, with the time at which it was told. */
  readonly changes = new Ring<ChangeWord & { readonly atMs: number }>(CHANGES_KEPT);
  /** What of all this has changed, as it changes. */
  readonly feed = new ChangeFeed();
  /** Last word on the kill switch, by tenant. */
  readonly killSwitch = new Map<
    string,
    { readonly isPaused: boolean; readonly actor: string; readonly reason: string; readonly atMs: number }
  >();
  readonly #log: Log;
  readonly #hot: HotStore;
  /** Lanes that a complete hot store knows. */
  #hotLanes: readonly string[] = [];
  #isStopping = false;
  #loops: Promise<void>[] = [];
  #behind = 0;

  constructor(log: Log, hot: HotStore) {
    this.#log = log;
    this.#hot = hot;
  }

  /** Whether something that was in the log at the start was not read yet: all but services and windows is incomplete. */
  get isBehind(): boolean {
    return this.#behind > 0;
  }

  /** Whether anything may be incomplete, services and windows too; also when nobody knows, as the hot store is away. */
  async isRebuilding(): Promise<boolean> {
    return this.isBehind || !(await this.#isHotComplete());
  }

  /** @throws {UnavailableError} `HOT_UNAVAILABLE` */
  async services(): Promise<readonly ServiceView[]> {
    return (await this.#hot.services()).map(viewOf);
  }

  /** @throws {UnavailableError} `HOT_UNAVAILABLE` */
  async service(key: string): Promise<ServiceView | undefined> {
    const found = await this.#hot.service(key);
    return found === undefined ? undefined : viewOf(found);
  }

  /**
   * Windows of one kind of a service, oldest first; all, or the newest so many.
   *
   * @throws {UnavailableError} `HOT_UNAVAILABLE`
   */
  async windows(key: string, kind: WindowKind, newestMax?: number): Promise<readonly Window[]> {
    const values = await this.#hot.windows(key, kind, newestMax);
    return values.map((value) => windowsCodec.decode({ value })).filter((message) => message.type === 'window');
  }

  /** What the planner was told of an environment; see {@link inboxLines}. */
  inbox(scope: Scope, range: { readonly fromMs: number; readonly toMs: number }): AsyncGenerator<string> {
    return inboxLines(this.#log, scope, range);
  }

  /** Starts to follow. */
  async start(): Promise<void> {
    this.#hotLanes = (await hotSources(this.#log)).map(({ lane }) => lane);
    const topics: [Topic, (record: StoredRecord) => void][] = [
      ['flyball.incidents', (record) => this.#incident(record)],
      ['remediation.commands', (record) => this.#command(record)],
      ['remediation.outcomes', (record) => this.#outcome(record)],
      ['flyball.control', (record) => this.#word(record)],
      ['flyball.audit', (record) => this.#audited(record)],
    ];
    for (const [topic, take] of topics) {
      const { partitions } = await this.#log.describe(topic);
      for (let partition = 0; partition < partitions; partition += 1) {
        this.#behind += 1;
        this.#loops.push(this.#follow(topic, partition, take));
      }
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#loops);
  }

  async #follow(topic: Topic, partition: number, take: (record: StoredRecord) => void): Promise<void> {
    const from = { topic, partition };
    const marks = new Marks();
    const { startOffset, endOffset } = await this.#log.range(from);
    let offset = startOffset;
    let isBehind = true;
    while (!this.#isStopping) {
      if (isBehind && offset >= endOffset) {
        isBehind = false;
        this.#behind -= 1;
        // Of what was read meanwhile nobody was told.
        this.#publish('reset', { reason: 'what was on record at the start is read' });
      }
      try {
        const records = await this.#log.read(from, offset, READ_BYTES_MAX);
        for (const record of records) {
          offset = record.offset + 1;
          if (isNews(record, marks)) ifReadable(() => take(record));
        }
        if (records.length === 0) await this.#log.wait(from, offset, IDLE_WAIT_MS);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind === 'bug') throw error;
        offset = await this.#placeNear(from, offset);
        await sleep(RETRY_WAIT_MS);
      }
    }
  }

  /** An offset that the log holds, as near as can be: what was trimmed before it was read is gone. */
  async #placeNear(from: Partition, offset: number): Promise<number> {
    const range = await this.#log.range(from).catch(() => undefined);
    return range === undefined ? offset : Math.min(Math.max(offset, range.startOffset), range.endOffset);
  }

  async #isHotComplete(): Promise<boolean> {
    try {
      const progress = await this.#hot.progress();
      return this.#hotLanes.every((lane) => progress.get(lane)?.isCaughtUp === true);
    } catch (error) {
      if (error instanceof AppError && error.kind === 'unavailable') return false;
      throw error;
    }
  }

  #incident(record: StoredRecord): void {
    const incident = incidentsCodec.decode(record);
    const { incidentId, revision, environment, status } = incident;
    const asked = approvalsText(this.incidents.get(incidentId));
    this.incidents.set(incident.incidentId, incident);
    if (this.incidents.size > INCIDENTS_KEPT) this.incidents.delete(this.incidents.keys().next().value!);
    this.#publish('incident', { incidentId, revision, environment, status });
    if (approvalsText(incident) !== asked) this.#publish('approval', { incidentId, environment });
  }

  #command(record: StoredRecord): void {
    const command = commandsCodec.decode(record);
    const outcomes = this.#early.get(command.commandId) ?? [];
    this.#early.delete(command.commandId);
    this.commands.set(command.commandId, { command, outcomes });
    if (this.commands.size > COMMANDS_KEPT) this.commands.delete(this.commands.keys().next().value!);
    this.#publish('command', { commandId: command.commandId, incidentId: command.incidentId });
  }

  #audited(record: StoredRecord): void {
    const entry = auditCodec.decode(record);
    this.audit.push(entry);
    this.#publish('audit', { seq: entry.seq });
  }

  /** Outcomes that were read before their command: topics are followed side by side. */
  readonly #early = new Map<string, OutcomesMessage[]>();

  #outcome(record: StoredRecord): void {
    const outcome = outcomesCodec.decode(record);
    const known = this.commands.get(outcome.commandId)?.outcomes ?? this.#early.get(outcome.commandId);
    if (known !== undefined) known.push(outcome);
    else if (this.#early.size < COMMANDS_KEPT) this.#early.set(outcome.commandId, [outcome]);
    this.#publish('command', { commandId: outcome.commandId, incidentId: outcome.incidentId });
  }

  #word(record: StoredRecord): void {
    const word = controlCodec.decode(record);
    const atMs = record.appendedAtMs;
    this.quiet.hear(word);
    this.objectives.hear(word);
    this.setup.hear(word, atMs);
    if (word.type === 'change') this.changes.push({ ...word, atMs });
    if ('incidentId' in word && this.remarks.hear(word, atMs)) this.#publish('remark', { incidentId: word.incidentId });
    this.#publish('word', { type: word.type });
    if (word.type !== 'pause' && word.type !== 'resume') return;
    const { tenant, actor, reason } = word;
    const said = { isPaused: word.type === 'pause', actor, reason, atMs };
    this.killSwitch.set(tenant, said);
    this.#publish('killswitch', { ...said, isRebuilding: false });
  }

  /** What was there at the start is no change. */
  #publish(event: string, data: unknown): void {
    if (!this.isBehind) this.feed.publish(event, data);
  }
}

/** What cannot be read, because a later release wrote it, is not shown: a view must not hold anything up. */
function ifReadable(take: () => void): void {
  try {
    take();
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
  }
}

/** What people are asked in an incident, and what became of it. */
function approvalsText(incident: Incident | undefined): string {
  const approvals = (incident?.decisions ?? []).flatMap(({ approval }): Approval[] =>
    approval === null ? [] : [approval],
  );
  return approvals.map(({ commandId, digest, status }) => `${commandId} ${digest} ${status}`).join('\n');
}

function viewOf({ key, assessment, lastSeenAtMs }: HotService): ServiceView {
  return { key, assessment: assessment && readAssessment(assessment), lastSeenAtMs };
}

/** One that cannot be read was written by a later release: then nothing is known. */
function readAssessment(value: Uint8Array): Assessment | undefined {
  try {
    const message = signalsCodec.decode({ value });
    return message.type === 'assessment' ? message : undefined;
  } catch (error) {
    if (error instanceof RejectedError) return undefined;
    throw error;
  }
}
