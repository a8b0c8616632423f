import {
  type Assessment,
  auditCodec,
  type AuditEntry,
  type Command,
  commandsCodec,
  controlCodec,
  type Incident,
  incidentsCodec,
  outcomesCodec,
  type OutcomesMessage,
  signalsCodec,
  subjectKey,
  type Topic,
  windowsCodec,
} from '@flyball/contracts';
import { isFresh, type Log, Marks, type StoredRecord } from '@flyball/runtime';
import { Ring } from './ring.ts';
import { WindowHistory } from './window-history.ts';

const IDLE_WAIT_MS = 200;
const READ_BYTES_MAX = 1_000_000;
/** What is kept in memory; older things are in the log and the archive. */
const SERVICES_MAX = 2_000;
const INCIDENTS_KEPT = 1_000;
const COMMANDS_KEPT = 1_000;
const AUDIT_KEPT = 10_000;

/** A service as the newest windows and assessments show it. */
export interface ServiceView {
  assessment: Assessment | undefined;
  /** End of the last window with a span, ms. */
  lastSeenAtMs: number | null;
}

/** A command with all that was said of it. */
export interface CommandView {
  readonly command: Command;
  readonly outcomes: OutcomesMessage[];
}

/** Everything that the API shows, followed from the topics. It can be thrown away: a start builds it again. */
export class ReadModel {
  readonly services = new Map<string, ServiceView>();
  readonly windows = new WindowHistory();
  readonly incidents = new Map<string, Incident>();
  readonly commands = new Map<string, CommandView>();
  readonly audit = new Ring<AuditEntry>(AUDIT_KEPT);
  /** Last word on the kill switch, by tenant. */
  readonly killSwitch = new Map<
    string,
    { readonly isPaused: boolean; readonly actor: string; readonly reason: string; readonly atMs: number }
  >();
  readonly #log: Log;
  #isStopping = false;
  #loops: Promise<void>[] = [];
  #behind = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Whether everything that was in the log at the start was read. Until then answers are incomplete. */
  get isRebuilding(): boolean {
    return this.#behind > 0;
  }

  /** Starts to follow all topics. */
  async start(): Promise<void> {
    const topics: [Topic, (record: StoredRecord) => void][] = [
      ['flyball.windows', (record) => this.#window(record)],
      ['flyball.signals', (record) => this.#signal(record)],
      ['flyball.incidents', (record) => this.#incident(record)],
      ['remediation.commands', (record) => this.#command(record)],
      ['remediation.outcomes', (record) => this.#outcome(record)],
      ['flyball.control', (record) => this.#word(record)],
      ['flyball.audit', (record) => this.audit.push(auditCodec.decode(record))],
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
      }
      const records = await this.#log.read(from, offset, READ_BYTES_MAX).catch(() => []);
      for (const record of records) {
        offset = record.offset + 1;
        if (isFresh(record, marks)) take(record);
      }
      if (records.length === 0) await this.#log.wait(from, offset, IDLE_WAIT_MS).catch(() => undefined);
    }
  }

  #service(key: string): ServiceView | undefined {
    const known = this.services.get(key);
    if (known !== undefined || this.services.size >= SERVICES_MAX) return known;
    const view = { assessment: undefined, lastSeenAtMs: null };
    this.services.set(key, view);
    return view;
  }

  #window(record: StoredRecord): void {
    const message = windowsCodec.decode(record);
    if (message.type === 'closed') return;
    const key = subjectKey(message.subject);
    if (message.type === 'gone') {
      this.services.delete(key);
      return;
    }
    const view = this.#service(key);
    if (view === undefined) return;
    if (message.spans > 0) view.lastSeenAtMs = message.endMs;
    this.windows.add(key, record.value);
  }

  #signal(record: StoredRecord): void {
    const message = signalsCodec.decode(record);
    if (message.type !== 'assessment') return;
    const view = this.#service(subjectKey(message.subject));
    if (view !== undefined) view.assessment = message;
  }

  #incident(record: StoredRecord): void {
    const incident = incidentsCodec.decode(record);
    this.incidents.set(incident.incidentId, incident);
    if (this.incidents.size > INCIDENTS_KEPT) this.incidents.delete(this.incidents.keys().next().value!);
  }

  #command(record: StoredRecord): void {
    const command = commandsCodec.decode(record);
    const outcomes = this.#early.get(command.commandId) ?? [];
    this.#early.delete(command.commandId);
    this.commands.set(command.commandId, { command, outcomes });
    if (this.commands.size > COMMANDS_KEPT) this.commands.delete(this.commands.keys().next().value!);
  }

  /** Outcomes that were read before their command: topics are followed side by side. */
  readonly #early = new Map<string, OutcomesMessage[]>();

  #outcome(record: StoredRecord): void {
    const outcome = outcomesCodec.decode(record);
    const known = this.commands.get(outcome.commandId)?.outcomes ?? this.#early.get(outcome.commandId);
    if (known !== undefined) known.push(outcome);
    else if (this.#early.size < COMMANDS_KEPT) this.#early.set(outcome.commandId, [outcome]);
  }

  #word(record: StoredRecord): void {
    const word = controlCodec.decode(record);
    if (word.type !== 'pause' && word.type !== 'resume') return;
    const { tenant, actor, reason } = word;
    this.killSwitch.set(tenant, { isPaused: word.type === 'pause', actor, reason, atMs: record.appendedAtMs });
  }
}
