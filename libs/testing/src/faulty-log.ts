import { UnavailableError } from '@flyball/core';
import type {
  Appended,
  Log,
  Membership,
  NewRecord,
  OffsetRange,
  Partition,
  Progress,
  StoredRecord,
  TopicState,
} from '@flyball/runtime';

/**
 * What becomes of one append. `lost`: nothing is written. `prefix`: a part is. `unacked`: all of it is. `late`:
 * all of it is, after later appends. In these four the answer is lost: `LOG_APPEND_UNKNOWN`. `full`: refused,
 * nothing is written, and the answer says so.
 */
export type AppendFault = 'none' | 'lost' | 'prefix' | 'unacked' | 'late' | 'full';

/** How many appends a `late` one is overtaken by, at most. */
const LATE_BY_MAX = 8;

/** A log whose appends and reads fail as the caller's dice say. What it acknowledges is true. */
export class FaultyLog implements Log {
  readonly #log: Log;
  readonly #draw: (to: Partition) => AppendFault;
  readonly #readFails: () => boolean;
  readonly #late: { due: number; to: Partition; records: readonly NewRecord[] }[] = [];
  #appends = 0;
  #isHealed = false;

  constructor(log: Log, draw: (to: Partition) => AppendFault, readFails: () => boolean) {
    this.#log = log;
    this.#draw = draw;
    this.#readFails = readFails;
  }

  async append(to: Partition, records: readonly NewRecord[]): Promise<Appended> {
    this.#appends += 1;
    await this.#landLate();
    const fault = this.#isHealed ? 'none' : this.#draw(to);
    if (fault === 'none') return this.#log.append(to, records);
    if (fault === 'full') throw new UnavailableError('LOG_FULL', 'planted: no space is left');
    if (fault === 'unacked') await this.#log.append(to, records);
    if (fault === 'prefix' && records.length > 1) await this.#log.append(to, records.slice(0, records.length >> 1));
    if (fault === 'late') this.#late.push({ due: this.#appends + LATE_BY_MAX, to, records });
    throw new UnavailableError('LOG_APPEND_UNKNOWN', 'planted: the answer was lost');
  }

  async read(from: Partition, fromOffset: number, maxBytes: number): Promise<readonly StoredRecord[]> {
    if (!this.#isHealed && this.#readFails()) throw new UnavailableError('LOG_UNAVAILABLE', 'planted: the log is away');
    return this.#log.read(from, fromOffset, maxBytes);
  }

  /** Ends all faults: what was late lands now. Everything must converge from here. */
  async heal(): Promise<void> {
    this.#isHealed = true;
    this.#appends = Infinity;
    await this.#landLate();
  }

  join(group: string, topics: readonly string[], onOwned: (owned: readonly Partition[]) => void): Promise<Membership> {
    return this.#log.join(group, topics, onOwned);
  }

  describe(topic: string): Promise<TopicState> {
    return this.#log.describe(topic);
  }

  create(topic: string, partitions: number): Promise<TopicState> {
    return this.#log.create(topic, partitions);
  }

  range(of: Partition): Promise<OffsetRange> {
    return this.#log.range(of);
  }

  trim(of: Partition, beforeOffset: number): Promise<void> {
    return this.#log.trim(of, beforeOffset);
  }

  commit(reader: string, at: Partition, offset: number, reachedMs?: number): Promise<void> {
    return this.#log.commit(reader, at, offset, reachedMs);
  }

  committed(reader: string, at: Partition): Promise<number | undefined> {
    return this.#log.committed(reader, at);
  }

  progress(processor: string, topic: string): Promise<ReadonlyMap<number, Progress>> {
    return this.#log.progress(processor, topic);
  }

  wait(at: Partition, offset: number, timeoutMs: number): Promise<void> {
    return this.#log.wait(at, offset, timeoutMs);
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  async #landLate(): Promise<void> {
    while (this.#late.length > 0 && this.#late[0]!.due <= this.#appends) {
      const { to, records } = this.#late.shift()!;
      await this.#log.append(to, records);
    }
  }
}
