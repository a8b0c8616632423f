import type { Admin, ITopicMetadata } from 'kafkajs';
import { stockKafka } from '../cluster/stock-kafka.ts';

/** A broker may stand still: another one is asked soon, ms. */
const REQUEST_TIMEOUT_MS = 2_000;
const ASKS_MAX = 8;

/** The copies of partitions in a cluster, as its brokers tell. */
export class Replicas {
  readonly #url: string;
  #admin: Admin | undefined;

  private constructor(url: string) {
    this.#url = url;
  }

  /** @param url - `kafka://HOST:PORT,…` */
  static async open(url: string): Promise<Replicas> {
    const replicas = new Replicas(url);
    await replicas.#topics();
    return replicas;
  }

  /** Which node leads a partition; -1 when none does. */
  async leaderOf(topic: string, partition: number): Promise<number> {
    const topics = await this.#topics([topic]);
    return topics[0]!.partitions.find(({ partitionId }) => partitionId === partition)!.leader;
  }

  /** Partitions of which not every copy is in sync: `otlp_spans/0`. */
  async behind(): Promise<readonly string[]> {
    const topics = await this.#topics();
    return topics.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ isr, replicas }) => isr.length < replicas.length)
        .map(({ partitionId }) => `${name}/${partitionId}`),
    );
  }

  async #topics(topics?: string[]): Promise<readonly ITopicMetadata[]> {
    for (let asked = 1; ; asked += 1) {
      try {
        this.#admin ??= await connected(this.#url);
        return (await this.#admin.fetchTopicMetadata(topics && { topics })).topics;
      } catch (error) {
        // It would go on asking the broker that it is connected to, if only to that one.
        await this.close().catch(() => undefined);
        if (asked === ASKS_MAX) throw error;
      }
    }
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.disconnect();
  }
}

async function connected(url: string): Promise<Admin> {
  const admin = stockKafka(url, { requestTimeout: REQUEST_TIMEOUT_MS }).admin();
  await admin.connect();
  return admin;
}
