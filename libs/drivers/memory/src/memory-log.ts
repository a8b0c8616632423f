import { RejectedError, UnavailableError } from '@flyball/core';
import {
  type Appended,
  laneName,
  type Log,
  type Membership,
  type NewRecord,
  type OffsetRange,
  ownEverything,
  type Partition,
  type Progress,
  type StoredRecord,
  type TopicState,
} from '@flyball/runtime';

/** Most bytes of one value, as in the embedded log. */
const VALUE_BYTES_MAX = 16 * 1024 * 1024;

interface MemoryTopic {
  readonly state: TopicState;
  readonly partitions: readonly MemoryPartition[];
}

interface MemoryPartition {
  startOffset: number;
  records: StoredRecord[];
}

/** A {@link Log} in memory. Appends get the time that `nowMs` answers. */
export class MemoryLog implements Log {
  readonly #nowMs: () => number;
  readonly #idOf: (topic: string, nth: number) => string;
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #commits = new Map<string, Progress>();
  readonly #waiters = new Set<() => void>();
  #isClosed = false;

  /** @param idOf - identity of a topic, from its name and how many were created before it. */
  constructor(nowMs: () => number, idOf = (topic: string, nth: number) => `${topic}#${nth}`) {
    this.#nowMs = nowMs;
    this.#idOf = idOf;
  }

  async describe(topic: string): Promise<TopicState> {
    return this.#topic(topic).state;
  }

  async create(topic: string, partitions: number): Promise<TopicState> {
    this.#refuseClosed();
    const known = this.#topics.get(topic);
    if (known === undefined) {
      const state = { id: this.#idOf(topic, this.#topics.size), partitions };
      const empty = () => ({ startOffset: 0, records: [] });
      this.#topics.set(topic, { state, partitions: Array.from({ length: partitions }, empty) });
      return state;
    }
    if (known.state.partitions === partitions) return known.state;
    const detail = { topic, found: known.state.partitions, wanted: partitions };
    throw new RejectedError('TOPIC_PARTITIONS', 'topic has another number of partitions', { detail });
  }

  async read(from: Partition, fromOffset: number, maxBytes: number): Promise<readonly StoredRecord[]> {
    const { startOffset, records } = this.#partition(from);
    const endOffset = startOffset + records.length;
    const detail = { ...from, fromOffset, startOffset, endOffset };
    if (fromOffset < startOffset) throw new UnavailableError('LOG_GAP', 'offset was trimmed', { detail });
    if (fromOffset > endOffset) throw new UnavailableError('LOG_TRUNCATED', 'offset is beyond the end', { detail });
    let end = fromOffset - startOffset;
    for (let size = 0; end < records.length; end += 1) {
      size += records[end]!.value.length;
      if (size > maxBytes && end > fromOffset - startOffset) break;
    }
    return records.slice(fromOffset - startOffset, end);
  }

  async append(to: Partition, records: readonly NewRecord[]): Promise<Appended> {
    const partition = this.#partition(to);
    if (records.some(({ value }) => value.length > VALUE_BYTES_MAX)) {
      throw new RejectedError('RECORD_TOO_LARGE', 'a value is larger than the log takes', { detail: { ...to } });
    }
    const firstOffset = partition.startOffset + partition.records.length;
    const appendedAtMs = this.#nowMs();
    records.forEach(({ key, headers, value }, index) => {
      partition.records.push({ key, headers, value, offset: firstOffset + index, appendedAtMs });
    });
    for (const wake of [...this.#waiters]) wake();
    return { firstOffset, appendedAtMs };
  }

  async range(of: Partition): Promise<OffsetRange> {
    const { startOffset, records } = this.#partition(of);
    return { startOffset, endOffset: startOffset + records.length };
  }

  async trim(of: Partition, beforeOffset: number): Promise<void> {
    const partition = this.#partition(of);
    const count = Math.min(Math.max(0, beforeOffset - partition.startOffset), partition.records.length);
    partition.records = partition.records.slice(count);
    partition.startOffset += count;
  }

  async commit(reader: string, at: Partition, offset: number, reachedMs?: number): Promise<void> {
    this.#partition(at);
    this.#commits.set(`${reader} ${at.topic}/${at.partition}`, { offset, reachedMs });
  }

  async committed(reader: string, at: Partition): Promise<number | undefined> {
    return this.#commits.get(`${reader} ${at.topic}/${at.partition}`)?.offset;
  }

  async progress(processor: string, topic: string): Promise<ReadonlyMap<number, Progress>> {
    const progress = new Map<number, Progress>();
    for (const partition of this.#topic(topic).partitions.keys()) {
      const known = this.#commits.get(`${laneName(processor, topic, partition)} ${topic}/${partition}`);
      if (known !== undefined) progress.set(partition, known);
    }
    return progress;
  }

  join(_group: string, topics: readonly string[], onOwned: (owned: readonly Partition[]) => void): Promise<Membership> {
    return ownEverything(this, topics, onOwned);
  }

  async wait(at: Partition, offset: number, timeoutMs: number): Promise<void> {
    const { startOffset, records } = this.#partition(at);
    if (startOffset + records.length > offset) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiters.add(wake);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const wake of [...this.#waiters]) wake();
  }

  #topic(topic: string): MemoryTopic {
    this.#refuseClosed();
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    throw new UnavailableError('TOPIC_UNKNOWN', 'topic was not created', { detail: { topic } });
  }

  #partition({ topic, partition }: Partition): MemoryPartition {
    const known = this.#topic(topic).partitions[partition];
    if (known !== undefined) return known;
    throw new UnavailableError('TOPIC_UNKNOWN', 'topic has no such partition', { detail: { topic, partition } });
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new UnavailableError('LOG_CLOSED', 'the log was closed');
  }
}
