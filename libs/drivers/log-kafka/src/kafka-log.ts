import { RejectedError, UnavailableError } from '@flyball/core';
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
import type { KafkaConfig } from 'kafkajs';
import { Appender } from './appender.ts';
import { Arrivals } from './arrivals.ts';
import { Connection } from './connection.ts';
import { Fetcher } from './fetcher.ts';
import { GroupMember } from './group-member.ts';
import type { Broker } from './internals.ts';
import { isComingCoordinator, unavailable } from './kafka-errors.ts';
import { kafkaSettings } from './kafka-settings.ts';
import { topicMetadata } from './topic-metadata.ts';
import { MESSAGE_BYTES_MAX, type Replication, replicationOf, TopicSettings } from './topic-settings.ts';

/** How long a broker may hold a request of those who wait at the end, ms: who comes meanwhile waits for the next. */
const TAIL_WAIT_MS = 100;
const TAIL_BYTES_MAX = 1024 * 1024;
/** Most that one read brings, whatever it asks for. */
const READ_BYTES_MAX = 8 * 1024 * 1024;
const EARLIEST = -2;
const LATEST = -1;
/** What was just created, or has just moved, is not known to every broker at once. */
const NEW_TRIES = 50;
const NEW_BACKOFF_MS = 100;

/** How a log on Kafka is opened. */
export interface KafkaLogOptions {
  /** See {@link kafkaSettings}. */
  readonly url: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly replication?: Replication;
}

/** A {@link Log} on Kafka. Readers keep their own positions; groups only remember, for people, how far a reader has come. */
export class KafkaLog implements Log {
  readonly #config: KafkaConfig;
  readonly #settings: TopicSettings;
  readonly #connection: Connection;
  /** Connections of their own, so that nobody who asks now stands behind those who wait. */
  readonly #waiting: Connection;
  readonly #fetcher: Fetcher;
  readonly #tail: Fetcher;
  readonly #appender: Appender;
  readonly #topics = new Map<string, TopicState>();
  readonly #arrived = new Arrivals();
  #isClosed = false;

  private constructor(config: KafkaConfig, replication: Replication) {
    this.#config = config;
    this.#settings = new TopicSettings(config, replication);
    this.#connection = new Connection(config);
    this.#waiting = new Connection(config);
    this.#fetcher = new Fetcher(this.#connection, 0);
    this.#tail = new Fetcher(this.#waiting, TAIL_WAIT_MS);
    this.#appender = new Appender(this.#connection, MESSAGE_BYTES_MAX);
  }

  /**
   * Opens a log on brokers that answer.
   *
   * @throws {RejectedError} `LOG_URL_INVALID`
   * @throws {UnavailableError} `LOG_UNAVAILABLE`, `LOG_FORBIDDEN`
   */
  static async open({ url, env = process.env, replication = {} }: KafkaLogOptions): Promise<KafkaLog> {
    const log = new KafkaLog(kafkaSettings(url, env), replication);
    try {
      // A connection alone proves nothing: brokers take it from anybody.
      await log.#connection.with((cluster) => cluster.refreshMetadata());
      return log;
    } catch (cause) {
      await log.close();
      throw unavailable(cause, 'the first question to the brokers');
    }
  }

  async describe(topic: string): Promise<TopicState> {
    this.#refuseClosed();
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const found = await this.#ask('a question about a topic', () =>
      this.#connection.with((cluster) => cluster.brokerPool.withBroker(({ broker }) => topicMetadata(broker, topic))),
    );
    if (found === null)
      throw new UnavailableError('LOG_UNAVAILABLE', 'no broker has told of a topic', { detail: { topic } });
    if (found === undefined) {
      const hint = 'Create it with "flyball topics apply", and let the user describe it.';
      throw new UnavailableError('TOPIC_UNKNOWN', 'topic is not there, or not for us', { hint, detail: { topic } });
    }
    await this.#settings.requireAppendTime(topic);
    this.#topics.set(topic, found);
    return found;
  }

  async create(topic: string, partitions: number): Promise<TopicState> {
    this.#refuseClosed();
    await this.#settings.create(topic, partitions);
    const state = await this.#describeNew(topic);
    if (state.partitions === partitions) return state;
    const detail = { topic, found: state.partitions, wanted: partitions };
    throw new RejectedError('TOPIC_PARTITIONS', 'topic has another number of partitions', { detail });
  }

  async read(from: Partition, fromOffset: number, maxBytes: number): Promise<readonly StoredRecord[]> {
    this.#refuseClosed();
    const records = this.#arrived.take(from, fromOffset) ?? (await this.#fetch(from, fromOffset, maxBytes));
    const taken = within(records, maxBytes);
    if (taken.length < records.length) this.#arrived.keep(from, records.slice(taken.length));
    return taken;
  }

  async append(to: Partition, records: readonly NewRecord[]): Promise<Appended> {
    this.#refuseClosed();
    return this.#appender.append(to, records);
  }

  async range(of: Partition): Promise<OffsetRange> {
    this.#refuseClosed();
    const [startOffset, endOffset] = await this.#ask('a question about offsets', () =>
      this.#connection.withLeader(of, async (broker) => {
        const offsetAt = async (timestamp: number) => {
          const topics = [{ topic: of.topic, partitions: [{ partition: of.partition, timestamp }] }];
          const { responses } = await broker.listOffsets({ replicaId: -1, isolationLevel: 0, topics });
          return Number(responses[0]!.partitions[0]!.offset);
        };
        return [await offsetAt(EARLIEST), await offsetAt(LATEST)] as const;
      }),
    );
    return { startOffset, endOffset };
  }

  async trim(of: Partition, beforeOffset: number): Promise<void> {
    const { endOffset } = await this.range(of);
    const offset = String(Math.min(beforeOffset, endOffset));
    const topics = [{ topic: of.topic, partitions: [{ partition: of.partition, offset }] }];
    await this.#ask('a trim', () => this.#connection.withLeader(of, (broker) => broker.deleteRecords({ topics })));
    this.#arrived.forget(of);
  }

  async commit(reader: string, at: Partition, offset: number, reachedMs?: number): Promise<void> {
    const groupId = groupOf(reader, at);
    const metadata = reachedMs === undefined ? '' : String(reachedMs);
    const topics = [{ topic: at.topic, partitions: [{ partition: at.partition, offset: String(offset), metadata }] }];
    const request = { groupId, groupGenerationId: -1, memberId: '', retentionTime: -1, topics } as const;
    await this.#askGroup(groupId, 'a commit', (coordinator) => coordinator.offsetCommit(request));
  }

  async committed(reader: string, at: Partition): Promise<number | undefined> {
    return (await this.#progress(groupOf(reader, at), at.topic, [at.partition])).get(at.partition)?.offset;
  }

  async progress(processor: string, topic: string): Promise<ReadonlyMap<number, Progress>> {
    const { partitions } = await this.describe(topic);
    return this.#progress(`${LANE_GROUPS}${processor}`, topic, [...Array(partitions).keys()]);
  }

  async join(
    group: string,
    topics: readonly string[],
    onOwned: (owned: readonly Partition[]) => void,
  ): Promise<Membership> {
    this.#refuseClosed();
    const partitionsOf = async (topic: string) => (await this.describe(topic)).partitions;
    for (const topic of topics) await partitionsOf(topic);
    const connection = new Connection(this.#config);
    return new GroupMember({ connection, groupId: `flyball.${group}`, topics, partitionsOf, onOwned });
  }

  async wait(at: Partition, offset: number, timeoutMs: number): Promise<void> {
    const endMs = performance.now() + timeoutMs;
    while (!this.#isClosed && !this.#arrived.has(at, offset) && performance.now() < endMs) {
      const records = await this.#tail.fetch(at, offset, TAIL_BYTES_MAX).catch(() => undefined);
      if (records === undefined) {
        // Whoever reads next learns why, or nothing, by another connection: it must not come back at once.
        await new Promise((resolve) => setTimeout(resolve, TAIL_WAIT_MS));
        return;
      }
      this.#arrived.keep(at, records);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#connection.close(), this.#waiting.close()]);
  }

  /** Records from the brokers; an offset that is not there is named for what it is. */
  async #fetch(from: Partition, fromOffset: number, maxBytes: number): Promise<readonly StoredRecord[]> {
    try {
      return await this.#fetcher.fetch(from, fromOffset, Math.min(Math.max(1, maxBytes), READ_BYTES_MAX));
    } catch (error) {
      if (!(error instanceof UnavailableError) || error.code !== 'LOG_OFFSET_OUT_OF_RANGE')
        throw unavailable(error, 'a fetch');
      const { startOffset, endOffset } = await this.range(from);
      const detail = { ...from, fromOffset, startOffset, endOffset };
      if (fromOffset > endOffset) throw new UnavailableError('LOG_TRUNCATED', 'offset is beyond the end', { detail });
      if (fromOffset < startOffset) throw new UnavailableError('LOG_GAP', 'offset was trimmed', { detail });
      throw unavailable(error, 'a fetch');
    }
  }

  async #progress(
    groupId: string,
    topic: string,
    partitions: readonly number[],
  ): Promise<ReadonlyMap<number, Progress>> {
    const topics = [{ topic, partitions: partitions.map((partition) => ({ partition })) }];
    const what = 'a question about a group';
    const { responses } = await this.#askGroup(groupId, what, (broker) => broker.offsetFetch({ groupId, topics }));
    const known = (responses[0]?.partitions ?? []).filter(({ offset }) => Number(offset) >= 0);
    return new Map(
      known.map(({ partition, offset, metadata }) => {
        const reachedMs = metadata === null || metadata === '' ? undefined : Number(metadata);
        return [partition, { offset: Number(offset), reachedMs }];
      }),
    );
  }

  /** Groups have a broker that speaks for them; a new or moved one takes a moment to be there. */
  async #askGroup<T>(groupId: string, what: string, work: (coordinator: Broker) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#ask(what, () =>
          this.#connection.with(async (cluster) => work(await cluster.findGroupCoordinator({ groupId }))),
        );
      } catch (error) {
        if (!isComingCoordinator((error as Error).cause) || tries === NEW_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, NEW_BACKOFF_MS));
      }
    }
  }

  /** A topic is there when the leader of each of its partitions answers. */
  async #describeNew(topic: string): Promise<TopicState> {
    for (let tries = 1; ; tries += 1) {
      try {
        const state = await this.describe(topic);
        for (let partition = 0; partition < state.partitions; partition += 1) await this.range({ topic, partition });
        return state;
      } catch (error) {
        if (!(error instanceof UnavailableError) || tries === NEW_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, NEW_BACKOFF_MS));
      }
    }
  }

  async #ask<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#refuseClosed();
    try {
      return await work();
    } catch (cause) {
      await this.#connection.refresh().catch(() => undefined);
      throw unavailable(cause, what);
    }
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new UnavailableError('LOG_CLOSED', 'the log was closed');
  }
}

/** Opens the log of a `kafka://` URL for a process whose settings say how topics are replicated; 0 leaves it to the brokers. */
export function openKafkaLog(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
  of: { readonly replicas?: number; readonly minInSync?: number } = {},
): Promise<KafkaLog> {
  return KafkaLog.open({ url, env, replication: replicationOf(of) });
}

/** The first records, of at most so many bytes, but at least one. */
function within(records: readonly StoredRecord[], maxBytes: number): readonly StoredRecord[] {
  let bytes = 0;
  const end = records.findIndex(({ value }, index) => (bytes += value.length) > maxBytes && index > 0);
  return end < 0 ? records : records.slice(0, end);
}

const LANE_GROUPS = 'flyball.lanes.';

/** The group that shows a reader's progress to Kafka's own tools: one per processor. It never has members. */
function groupOf(reader: string, { topic, partition }: Partition): string {
  const suffix = `:${topic}/${partition}`;
  return `${LANE_GROUPS}${reader.endsWith(suffix) ? reader.slice(0, -suffix.length) : reader}`;
}
