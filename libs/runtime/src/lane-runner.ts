import { AppError, assert, crc32, RejectedError, UnavailableError } from '@flyball/core';
import { CheckpointStore, type LastRecord } from './checkpoint.ts';
import { cutOf } from './cut.ts';
import { type LaneSpec, laneName } from './lane.ts';
import type { Log } from './log.ts';
import type { Marks } from './marks.ts';
import type { Objects } from './objects.ts';
import { type OpenedLane, openLane, RESET_HINT } from './open-lane.ts';
import { type Batch, Outputs } from './outputs.ts';
import type { Processor, TopicBodies } from './processor.ts';
import { AT_HEADER, type Provenance, PROVENANCE_HEADER, provenanceOf } from './provenance.ts';
import type { Partition, StoredRecord } from './record.ts';

/** Most bytes of values that one pump reads. */
const PUMP_BYTES_MAX = 1_000_000;

/** What a lane runs on. */
export interface LanePorts {
  readonly log: Log;
  readonly objects: Objects;
}

/** Counters of one runner, from its opening on. */
export interface LaneStats {
  read: number;
  /** Records at or below the mark of their origin: appended twice, or by a zombie. */
  duplicates: number;
  deadLetters: number;
  appended: number;
  checkpoints: number;
}

/** `process` threw. The runner is dead: discard it, record the death, and open another. */
export class ProcessDiedError extends AppError {
  readonly kind = 'bug';
  readonly offset: number;

  constructor(lane: string, offset: number, cause: unknown) {
    const hint =
      'The lane is reopened; after three deaths at one entry the entry is skipped and kept as a dead letter.';
    super('PROCESS_DIED', 'a processor threw', { cause, hint, detail: { lane, offset } });
    this.offset = offset;
  }
}

/**
 * Runs one processor over one lane: read, process, append, now and then checkpoint. Every stage,
 * distributed, standalone, replayed and simulated, runs through this class and nothing else.
 *
 * Records may be appended twice, never lost: a restart goes on from its checkpoint and emits the same
 * records with the same provenance, and the next runner's marks drop them. Hence two owners of a lane
 * are harmless, and nobody fences.
 */
export class LaneRunner<In, Out extends TopicBodies> {
  readonly lane: string;
  readonly epoch: number;
  /** Whether it replays what the release before has read already, up to a cut. */
  readonly isUnclean: boolean;
  readonly stats: LaneStats = { read: 0, duplicates: 0, deadLetters: 0, appended: 0, checkpoints: 0 };
  readonly #spec: LaneSpec<In, Out>;
  readonly #ports: LanePorts;
  readonly #from: Partition;
  readonly #topicId: string;
  readonly #processor: Processor<In, Out>;
  readonly #marks: Marks;
  readonly #outputs: Outputs<Out>;
  readonly #skips: ReadonlySet<number>;
  readonly #ownFrom: number;
  #offset: number;
  #last: LastRecord | StoredRecord | null;
  /** Appends that were not answered yet. While there are any, nothing is read and no checkpoint is put. */
  #pending: Batch[][] = [];
  #blocked: UnavailableError | undefined;
  #isDead = false;
  #isClosed = false;

  private constructor(spec: LaneSpec<In, Out>, ports: LanePorts, from: Partition, opened: OpenedLane<In, Out>) {
    this.lane = laneName(spec.name, from.topic, from.partition);
    this.epoch = opened.epoch;
    this.isUnclean = opened.isUnclean;
    this.#spec = spec;
    this.#ports = ports;
    this.#from = from;
    this.#topicId = opened.topicId;
    this.#processor = opened.processor;
    this.#marks = opened.marks;
    this.#outputs = new Outputs(spec as unknown as LaneSpec<never, Out>, this.lane, opened.epoch);
    this.#skips = opened.skips;
    this.#ownFrom = opened.ownFrom;
    this.#offset = opened.offset;
    this.#last = opened.last;
  }

  /**
   * Opens a lane at its newest valid checkpoint. Recovery and start are the same code path.
   *
   * @throws {UnavailableError} `LANE_STATE_LOST`, `LOG_TRUNCATED`, `LOG_GAP`: the lane has lived and its
   * state, or its log, is not what it was. It stays closed until a person resets it. `LANE_NOT_ACTIVE`, `LANE_CUT_PENDING`:
   * it belongs to another release, or is not closed by it yet; ask again.
   *
   * @param isUncleanAllowed - replay to a cut that nobody of the release before has closed the lane at.
   */
  static async open<In, Out extends TopicBodies>(
    spec: LaneSpec<In, Out>,
    ports: LanePorts,
    partition: number,
    isUncleanAllowed = false,
  ): Promise<LaneRunner<In, Out>> {
    const from = { topic: spec.inbox.topic, partition };
    const opened = await openLane(spec, ports, from, isUncleanAllowed);
    const runner = new LaneRunner(spec, ports, from, opened);
    if (opened.isBirth) await runner.checkpoint();
    return runner;
  }

  /** When the last record that was read was appended, ms; `undefined` until this runner has read one. */
  get lastAppendedAtMs(): number | undefined {
    return this.#last !== null && 'appendedAtMs' in this.#last ? this.#last.appendedAtMs : undefined;
  }

  /** Next offset to be read. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether a person has reset the lane since: this runner is of a life that is over. @throws {UnavailableError} */
  async isReset(): Promise<boolean> {
    return (await new CheckpointStore(this.#ports.objects).newestEpoch(this.lane)) > this.epoch;
  }

  /**
   * Reads, processes and appends one batch. Production loops this; the simulator calls it on a lane that
   * is picked by a die.
   *
   * @returns how many records were read; 0 means that the lane is idle.
   * @throws {UnavailableError} from the log. Call again later: this runner repeats what was not answered.
   * @throws {ProcessDiedError} the runner is dead, and nothing of this batch was appended.
   */
  async pump(maxBytes = PUMP_BYTES_MAX): Promise<number> {
    assert(!this.#isDead, 'a dead runner must be discarded');
    await this.#flush();
    if (this.#blocked !== undefined) {
      await this.#close();
      throw this.#blocked;
    }
    const records = await this.#ports.log.read(this.#from, this.#offset, maxBytes);
    const before = this.#offset;
    for (const record of records) {
      // What came before a hole was processed: what follows from it is appended before the lane stops.
      if (record.offset !== this.#offset) this.#blocked = hole(this.lane, this.#offset, record.offset);
      else this.#advance(record);
      if (this.#blocked !== undefined) break;
    }
    this.#pending = this.#outputs.take().map((batches) => [...batches]);
    await this.#flush();
    await this.#close();
    if (this.#blocked !== undefined && this.#offset === before) throw this.#blocked;
    return this.#offset - before;
  }

  /**
   * Saves the lane as it is between two entries. The state is taken at once, storing it may take longer;
   * `pump` may be called meanwhile.
   *
   * @returns whether it was saved: not while an append is unanswered, or the runner is dead.
   */
  async checkpoint(): Promise<boolean> {
    if (this.#pending.length > 0 || this.#isDead) return false;
    const { lane, epoch } = this;
    const [offset, reachedMs, last, marks, state] = [
      this.#offset,
      this.lastAppendedAtMs,
      lastOf(this.#last),
      this.#marks.save(),
      this.#processor.snapshot(),
    ];
    const { behaviour } = this.#spec;
    const checkpoint = { lane, epoch, offset, topicId: this.#topicId, last, behaviour, marks, state };
    await new CheckpointStore(this.#ports.objects).put(checkpoint);
    await this.#ports.log.commit(lane, this.#from, offset, reachedMs);
    this.stats.checkpoints += 1;
    return true;
  }

  /** At a cut to another release: a closing checkpoint, once, from which that one goes on. */
  async #close(): Promise<void> {
    if (this.#blocked?.code !== 'LANE_CUT' || this.#isClosed) return;
    this.#isClosed = await this.checkpoint();
  }

  /** One record: leave it out, drop it, stop before it, or process it. */
  #advance(record: StoredRecord): void {
    const cut = cutOf(record.headers);
    const behaviour = cut?.behaviours[this.#spec.name];
    const isOthers = behaviour !== undefined && behaviour !== this.#spec.behaviour;
    if (isOthers && record.offset >= this.#ownFrom) this.#blocked = notOurs(this.lane, record.offset);
    else if (cut === undefined) this.#take(record);
    if (this.#blocked !== undefined) return;
    this.#offset = record.offset + 1;
    this.#last = record;
    this.stats.read += 1;
  }

  /** One record that is no cut. */
  #take(record: StoredRecord): void {
    const atMs = this.#atMsOf(record);
    const at = { offset: record.offset, atMs };
    this.#outputs.follow(record, atMs);
    const read = this.#skips.has(record.offset) ? SKIPPED : this.#read(record);
    if (read instanceof RejectedError) {
      if (!this.#spec.inbox.foreign && read !== SKIPPED) {
        this.#blocked = unreadable(this.lane, record.offset, read);
        return;
      }
      this.stats.deadLetters += 1;
      this.#outputs.reject(read);
      this.#guard(() => this.#processor.skip(at, this.#outputs));
    } else if (this.#marks.raise(read.provenance, atMs)) {
      this.#guard(() => this.#processor.process({ ...at, epoch: this.epoch, key: record.key, ...read }, this.#outputs));
    } else {
      this.stats.duplicates += 1;
    }
  }

  /** Log time: of a fact, when it was appended; of a derived record, that of its first cause. */
  #atMsOf(record: StoredRecord): number {
    const header = this.#spec.inbox.foreign ? undefined : record.headers[AT_HEADER];
    return header === undefined ? record.appendedAtMs : Number(header);
  }

  #read(record: StoredRecord): { provenance: Provenance | undefined; body: In } | RejectedError {
    try {
      return { provenance: provenanceOf(record.headers), body: this.#spec.inbox.codec.decode(record) };
    } catch (error) {
      if (error instanceof RejectedError) return error;
      this.#die(error);
    }
  }

  /** A throw of a processor leaves no trace: nothing of this batch is appended, and the runner is dead. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#die(error);
    }
  }

  #die(cause: unknown): never {
    this.#isDead = true;
    throw new ProcessDiedError(this.lane, this.#offset, cause);
  }

  /** Appends what is pending: partitions side by side, within one in order and one request at a time. */
  async #flush(): Promise<void> {
    const answers = await Promise.allSettled(this.#pending.map((batches) => this.#appendAll(batches)));
    this.#pending = this.#pending.filter((batches) => batches.length > 0);
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
  }

  async #appendAll(batches: Batch[]): Promise<void> {
    while (batches.length > 0) {
      const { to, records } = batches[0]!;
      await this.#ports.log.append(to, records);
      this.stats.appended += records.length;
      batches.shift();
    }
  }
}

const SKIPPED = new RejectedError('ENTRY_SKIPPED', 'entry killed its processor three times');

/** The log goes on with another offset than the next one: what is between was lost, and nobody may read on. */
function hole(lane: string, wanted: number, found: number): UnavailableError {
  const detail = { lane, wanted, found };
  return new UnavailableError('LOG_GAP', 'the log has a hole', { hint: RESET_HINT, detail });
}

/** From a cut on the lane belongs to another release. This one has closed it. */
function notOurs(lane: string, offset: number): UnavailableError {
  const hint = 'Nothing is wrong: a process of the release that was activated goes on from here.';
  return new UnavailableError('LANE_CUT', 'another release is active from here on', { hint, detail: { lane, offset } });
}

/** Our own message that this release cannot read: the lane waits for an upgrade, and loses nothing. */
function unreadable(lane: string, offset: number, cause: RejectedError): UnavailableError {
  const hint = 'Start a release that knows this message; the lane goes on from here.';
  return new UnavailableError('MESSAGE_UNREADABLE', 'a message of ours cannot be read', {
    hint,
    cause,
    detail: { lane, offset },
  });
}

function lastOf(last: LastRecord | StoredRecord | null): LastRecord | null {
  if (last === null || 'crc' in last) return last;
  return { provenance: last.headers[PROVENANCE_HEADER] ?? '', crc: crc32(last.value) };
}
