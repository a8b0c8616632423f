import { type Incident, incidentsCodec } from '@flyball/contracts';
import { AppError, RejectedError } from '@flyball/core';
import type { NoticeConnection } from '@flyball/outbound';
import { cutOf, type Log, type StoredRecord } from '@flyball/runtime';
import { choose } from './choice.ts';
import type { NotifierConfig } from './config.ts';
import { deliver } from './deliver.ts';
import { dedupeKey, factsOf, type Notice, serviceOf, type Told } from './notice.ts';
import { type ProgressStore, worthKeeping } from './progress-store.ts';
import { noticeRequest } from './requests.ts';

export const INCIDENTS = 'flyball.incidents';
const READ_BYTES_MAX = 1_000_000;
/** A body that the receiver does not take is sent so often, and then left out. */
const REFUSALS_MAX = 5;
const REPEATED_AT_ONCE = 100;

/** What every feed of a process shares. */
export interface FeedPorts {
  readonly log: Log;
  readonly progress: ProgressStore;
  readonly config: NotifierConfig;
  /** Wall clock, ms. */
  readonly nowMs: () => number;
  readonly onSent: (connection: string, event: Notice['event'] | 'repeated') => void;
  readonly onWithheld: (connection: string, reason: 'not_chosen' | 'silenced') => void;
  readonly onDropped: (connection: string, error: AppError) => void;
}

/** A revision, and where it is. */
interface Entry {
  readonly incident: Incident;
  readonly offset: number;
}

/**
 * Tells one connection of one partition of the incidents. The log is its queue: it reads on only when all it has read was told, and
 * what piled up meanwhile is told as it is by then. It can be thrown away at any moment: another goes on from what is stored, and
 * tells at most what was under way again.
 */
export class Feed {
  readonly connection: NoticeConnection;
  readonly partition: number;
  readonly #ports: FeedPorts;
  readonly #told = new Map<string, Told>();
  /** Newest told revisions of open incidents, to be repeated. */
  readonly #incidents = new Map<string, Incident>();
  readonly #refusals = new Map<string, number>();
  #isUnsaved = false;
  #topicId = '';
  #offset: number | undefined;
  #bornOffset = 0;

  constructor(connection: NoticeConnection, partition: number, ports: FeedPorts) {
    this.connection = connection;
    this.partition = partition;
    this.#ports = ports;
  }

  /** Next offset to be read. */
  get offset(): number {
    return this.#offset ?? 0;
  }

  /** Records that are there and were not told yet. @throws {UnavailableError} from the log. */
  async lag(): Promise<number> {
    const { endOffset } = await this.#ports.log.range(this.#at);
    return Math.max(0, endOffset - this.offset);
  }

  /** Incidents that it was told of and that are open. */
  get open(): number {
    return [...this.#told.values()].filter(({ isOpen }) => isOpen).length;
  }

  /**
   * Reads one batch and tells what is to be told of it.
   *
   * @returns whether there may be more.
   * @throws {UnavailableError} `NOTIFY_UNAVAILABLE`, or from the ports: call again later; nothing is lost.
   * @throws {RejectedError} `NOTIFY_REFUSED`: the same; given up after five times. `FLYBALL_INCIDENTS_UNREADABLE`: wait for a later release.
   */
  async pump(): Promise<boolean> {
    try {
      // Nothing more is told before it is stored what was: a store that is away does not make a start repeat all.
      if (this.#isUnsaved) await this.#save();
      this.#offset ??= await this.#begin();
      if (this.#offset < this.#bornOffset) await this.#catchUp(this.#offset);
      const records = await this.#ports.log.read(this.#at, this.#offset, READ_BYTES_MAX);
      const last = records.at(-1);
      if (last === undefined) return false;
      await this.#tell(newestOf(records));
      this.#offset = last.offset + 1;
      await this.#save();
      return true;
    } catch (error) {
      // The log is not the one that was read: what is open in it is told anew.
      if (error instanceof AppError && (error.code === 'LOG_GAP' || error.code === 'LOG_TRUNCATED')) this.#forget();
      throw error;
    }
  }

  /** Tells an Alertmanager again of what is open, as it forgets what nobody repeats. @throws as {@link pump} */
  async repeat(): Promise<void> {
    if (this.connection.kind !== 'alertmanager') return;
    const notices: Notice[] = [];
    for (const told of this.#told.values()) {
      if (!told.isOpen || told.isSilenced) continue;
      const incident = await this.#incidentOf(told);
      notices.push({ event: 'changed', incident, severity: told.severity, before: undefined });
    }
    while (notices.length > 0) {
      const [first, ...rest] = notices.splice(0, REPEATED_AT_ONCE);
      await this.#send([first!, ...rest]);
      this.#ports.onSent(this.connection.name, 'repeated');
    }
  }

  get #at() {
    return { topic: INCIDENTS, partition: this.partition };
  }

  /** Goes on where it was. */
  async #begin(): Promise<number> {
    const { log, progress } = this.#ports;
    this.#topicId = (await log.describe(INCIDENTS)).id;
    const saved = await progress.load(this.connection.name, this.partition);
    if (saved?.topicId === this.#topicId) {
      for (const told of saved.told) this.#told.set(told.incidentId, told);
      this.#bornOffset = saved.bornOffset;
      return saved.offset;
    }
    const { startOffset, endOffset } = await log.range(this.#at);
    this.#bornOffset = endOffset;
    const born = { topicId: this.#topicId, offset: startOffset, bornOffset: endOffset, told: [] };
    await progress.save(this.connection.name, this.partition, born);
    return startOffset;
  }

  /** A connection that is new is told of what is open, not of history. Begun again it finds the same. */
  async #catchUp(fromOffset: number): Promise<void> {
    const open = new Map<string, Entry>();
    // A planner that was thought dead may have said once more what was over long before.
    const revisions = new Map<string, number>();
    for (let offset = fromOffset; offset < this.#bornOffset;) {
      const records = await this.#ports.log.read(this.#at, offset, READ_BYTES_MAX);
      for (const entry of newestOf(records.filter((record) => record.offset < this.#bornOffset))) {
        const { incidentId, revision, status } = entry.incident;
        if (revision <= (revisions.get(incidentId) ?? 0)) continue;
        revisions.set(incidentId, revision);
        if (status === 'closed') open.delete(incidentId);
        else open.set(incidentId, entry);
      }
      offset = records.at(-1)!.offset + 1;
    }
    await this.#tell([...open.values()]);
    this.#offset = this.#bornOffset;
    await this.#save();
  }

  async #tell(entries: readonly Entry[]): Promise<void> {
    const { onSent, onWithheld } = this.#ports;
    const { name } = this.connection;
    for (const { incident, offset } of entries) {
      const told = this.#told.get(incident.incidentId);
      const choice = choose(this.connection, incident, told);
      if ('reason' in choice) {
        if (told?.isOpen === true)
          this.#told.set(told.incidentId, { ...told, isSilenced: incident.silencedUntilMs !== null });
        if (choice.reason !== 'known') onWithheld(name, choice.reason);
        continue;
      }
      const { notice } = choice;
      if (!(await this.#sendOrDrop(notice))) continue;
      onSent(name, notice.event);
      this.#remember(notice, offset);
      // At once: whoever goes on from here does not tell it again.
      await this.#save();
    }
  }

  /** Whether the receiver has it; what it refuses again and again is left out. */
  async #sendOrDrop(notice: Notice): Promise<boolean> {
    const key = dedupeKey(notice.incident);
    try {
      await this.#send([notice]);
      this.#refusals.delete(key);
      return true;
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      const refusals = (this.#refusals.get(key) ?? 0) + 1;
      this.#refusals.set(key, refusals);
      if (refusals < REFUSALS_MAX) throw error;
      this.#refusals.delete(key);
      this.#ports.onDropped(this.connection.name, error);
      return false;
    }
  }

  async #send(notices: readonly [Notice, ...Notice[]]): Promise<void> {
    const { config, nowMs } = this.#ports;
    const context = { nowMs: nowMs(), standsMs: 5 * config.repeatMs, linkUrl: config.linkUrl };
    await deliver(noticeRequest(this.connection, notices, context), config.attemptDeadlineMs);
  }

  #remember({ incident, severity }: Notice, offset: number): void {
    const { incidentId, revision, status, silencedUntilMs } = incident;
    const isOpen = status !== 'closed';
    if (isOpen) this.#incidents.set(incidentId, incident);
    else this.#incidents.delete(incidentId);
    this.#told.delete(incidentId);
    this.#told.set(incidentId, {
      ...{ incidentId, revision, severity, service: serviceOf(incident), facts: factsOf(incident, severity) },
      ...{ isOpen, isSilenced: silencedUntilMs !== null, offset },
    });
  }

  async #save(): Promise<void> {
    this.#isUnsaved = true;
    const kept = worthKeeping([...this.#told.values()]);
    this.#told.clear();
    for (const told of kept) this.#told.set(told.incidentId, told);
    const progress = { topicId: this.#topicId, offset: this.offset, bornOffset: this.#bornOffset, told: kept };
    await this.#ports.progress.save(this.connection.name, this.partition, progress);
    this.#isUnsaved = false;
  }

  async #incidentOf({ incidentId, offset }: Told): Promise<Incident> {
    const known = this.#incidents.get(incidentId);
    if (known !== undefined) return known;
    const [record] = await this.#ports.log.read(this.#at, offset, 1);
    const incident = incidentsCodec.decode(record!);
    this.#incidents.set(incidentId, incident);
    return incident;
  }

  #forget(): void {
    this.#offset = undefined;
    this.#isUnsaved = false;
    this.#told.clear();
    this.#incidents.clear();
    this.#topicId = '';
  }
}

/** The newest revision of each incident, in the order of the log. */
function newestOf(records: readonly StoredRecord[]): readonly Entry[] {
  const newest = new Map<string, Entry>();
  for (const record of records) {
    if (cutOf(record.headers) !== undefined) continue;
    const incident = incidentsCodec.decode(record);
    const known = newest.get(incident.incidentId);
    if (known !== undefined && known.incident.revision >= incident.revision) continue;
    newest.delete(incident.incidentId);
    newest.set(incident.incidentId, { incident, offset: record.offset });
  }
  return [...newest.values()];
}
