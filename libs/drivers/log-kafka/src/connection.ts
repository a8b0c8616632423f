import { SECOND_MS, UnavailableError } from '@flyball/core';
import type { Partition } from '@flyball/runtime';
import type { KafkaConfig } from 'kafkajs';
import { type Broker, type Cluster, createCluster, type Led } from './internals.ts';

/** A request that takes longer than this is given up by us, whatever kafkajs thinks of it. */
const WATCHDOG_MS = 15 * SECOND_MS;
/** Metadata is asked for again at most this often. */
const REFRESH_EVERY_MS = 200;

/**
 * Connections to the brokers, watched: what kafkajs does not answer in time is given up, and everything is connected anew
 * before the next request.
 */
export class Connection {
  readonly #config: KafkaConfig;
  /** All that were ever asked for: a new cluster is asked for them at once. */
  readonly #topics = new Set<string>();
  #cluster: Promise<Cluster> | undefined;
  #refreshedAtMs = -Infinity;
  #isClosed = false;

  constructor(config: KafkaConfig) {
    this.#config = config;
  }

  /**
   * Does something with the broker that leads a partition.
   *
   * @throws {UnavailableError} `TOPIC_UNKNOWN`, or whatever `work` throws.
   */
  async withLeader<T>(of: Partition, work: (broker: Broker, nodeId: number) => Promise<T>): Promise<T> {
    const nodeId = await this.leaderOf(of);
    return this.withNode(nodeId, work);
  }

  /** Does something with one broker. */
  async withNode<T>(nodeId: number, work: (broker: Broker, nodeId: number) => Promise<T>): Promise<T> {
    return this.with(async (cluster) => work(await cluster.findBroker({ nodeId }), nodeId));
  }

  /** Does something with the cluster. */
  async with<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new UnavailableError('LOG_CLOSED', 'the log was closed');
    const opening = (this.#cluster ??= this.#openOrForget());
    let isGivenUp = false;
    // Who was told that nothing was sent must not have it sent after that.
    const begun = opening.then((cluster) => (isGivenUp ? Promise.reject(new Error('given up')) : work(cluster)));
    try {
      return await withDeadline(begun);
    } catch (error) {
      isGivenUp = true;
      if (isBroken(error)) this.#drop(opening);
      throw error;
    }
  }

  /** Which broker leads a partition. @throws {UnavailableError} `TOPIC_UNKNOWN`, `LOG_UNAVAILABLE` */
  async leaderOf({ topic, partition }: Partition): Promise<number> {
    return this.with(async (cluster) => {
      // What it has told counts, not what was asked: that may have failed, or was another's, which was let go of meanwhile.
      const found = toldOf(cluster, { topic, partition }) ?? (await this.#ask(cluster, { topic, partition }));
      if (found.leader < 0) {
        void this.refresh().catch(() => undefined); // By the next try it may have one.
        throw new UnavailableError('LOG_UNAVAILABLE', 'partition has no leader now', { detail: { topic, partition } });
      }
      return found.leader;
    });
  }

  /** Asks who leads what now; not more often than makes sense. */
  async refresh(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#refreshedAtMs < REFRESH_EVERY_MS) return;
    this.#refreshedAtMs = nowMs;
    await this.with((cluster) => cluster.refreshMetadata());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opening = this.#cluster;
    if (opening !== undefined)
      await withDeadline(opening.then((cluster) => cluster.disconnect())).catch(() => undefined);
  }

  /** What could not be opened, for whatever reason, is no cluster: who asks next begins anew. */
  #openOrForget(): Promise<Cluster> {
    const opening = this.#open();
    opening.catch(() => {
      if (this.#cluster === opening) this.#cluster = undefined;
    });
    return opening;
  }

  async #open(): Promise<Cluster> {
    const cluster = createCluster(this.#config);
    try {
      await cluster.connect();
      if (this.#topics.size > 0) await cluster.addMultipleTargetTopics([...this.#topics]);
      return cluster;
    } catch (error) {
      void withDeadline(cluster.disconnect()).catch(() => undefined);
      throw error;
    }
  }

  /** @throws {UnavailableError} `TOPIC_UNKNOWN` */
  async #ask(cluster: Cluster, of: Partition): Promise<Led> {
    // kafkajs does not ask for a topic twice, though another question was under way or it failed: only a refresh does.
    for (const learn of [() => cluster.addMultipleTargetTopics([of.topic]), () => cluster.refreshMetadata()]) {
      await learn();
      this.#topics.add(of.topic);
      const found = toldOf(cluster, of);
      if (found !== undefined) return found;
    }
    throw new UnavailableError('TOPIC_UNKNOWN', 'topic has no such partition', { detail: { ...of } });
  }

  #drop(opening: Promise<Cluster>): void {
    if (this.#cluster !== opening) return;
    this.#cluster = undefined;
    void opening.then((cluster) => withDeadline(cluster.disconnect())).catch(() => undefined);
  }
}

/** What a cluster has been told of a partition; `undefined` where that is nothing. */
function toldOf(cluster: Cluster, { topic, partition }: Partition): Led | undefined {
  try {
    return cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
  } catch (error) {
    if ((error as Error).name === 'KafkaJSTopicMetadataNotLoaded') return undefined; // It was not told of any yet.
    throw error;
  }
}

/** Whether the connections themselves are suspect, and not what was asked. */
function isBroken(error: unknown): boolean {
  const name = (error as Error).name;
  const isOurs = error instanceof UnavailableError && error.code === 'LOG_TIMEOUT';
  return (
    isOurs ||
    /^KafkaJS(Connection|ConnectionClosed|RequestTimeout|BrokerNotFound|LockTimeout|NumberOfRetries)/.test(name)
  );
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new UnavailableError('LOG_TIMEOUT', 'a broker did not answer', { detail: { timeoutMs: WATCHDOG_MS } })),
      WATCHDOG_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
