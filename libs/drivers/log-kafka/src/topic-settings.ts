import { RejectedError } from '@flyball/core';
import { unavailable } from './kafka-errors.ts';
import { kafkaSettings } from './kafka-settings.ts';
import kafkajs, { type Admin, Kafka, type KafkaConfig } from 'kafkajs';

// A CommonJS module: not all that it exports can be named in an import.
const { ConfigResourceTypes } = kafkajs;

/** Most bytes of one batch: what a lane emits at once, with room for keys and headers. */
export const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;

/** Settings that every topic of ours must have. */
const TOPIC_CONFIG: Readonly<Record<string, string>> = {
  // Log time is the brokers' clock: the senders' own would let anybody move time.
  'message.timestamp.type': 'LogAppendTime',
  // A broker's retention knows no reader: the archiver trims, behind all of them.
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'cleanup.policy': 'delete',
  'max.message.bytes': String(MESSAGE_BYTES_MAX),
};

/** A setting that is not as it must be. */
export interface TopicDifference {
  readonly topic: string;
  readonly setting: string;
  readonly wanted: string;
  /** '' where the topic is not there. */
  readonly found: string;
}

/** How many copies brokers keep: as they are told by default, or as given. */
export interface Replication {
  readonly replicas?: number;
  readonly minInSync?: number;
}

/** Settings of the topics on the brokers of a `kafka://` URL. 0 leaves replication to the brokers. */
export function kafkaTopics(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
  of: { readonly replicas: number; readonly minInSync: number },
): TopicSettings {
  return new TopicSettings(kafkaSettings(url, env), replicationOf(of));
}

/** Replication as settings say it, where 0 leaves it to the brokers. */
export function replicationOf({
  replicas = 0,
  minInSync = 0,
}: Partial<Record<keyof Replication, number>>): Replication {
  return { ...(replicas > 0 && { replicas }), ...(minInSync > 0 && { minInSync }) };
}

/** Creates and checks topics, through an admin connection that lives as long as one question. */
export class TopicSettings {
  readonly #config: KafkaConfig;
  readonly #replication: Replication;

  constructor(config: KafkaConfig, replication: Replication = {}) {
    this.#config = config;
    this.#replication = replication;
  }

  /** Creates a topic where there is none. Returns whether it did. Brokers may not know of it yet for a moment. */
  async create(topic: string, partitions: number): Promise<boolean> {
    const { replicas } = this.#replication;
    const configEntries = Object.entries(this.#wanted()).map(([name, value]) => ({ name, value }));
    const about = { topic, numPartitions: partitions, replicationFactor: replicas ?? -1, configEntries };
    // Its own wait for leaders takes a broker that has not heard of the topic yet for a failure.
    return this.#with((admin) => admin.createTopics({ topics: [about], waitForLeaders: false }));
  }

  /** Settings of topics that are not as they must be. */
  async differences(topics: readonly string[]): Promise<readonly TopicDifference[]> {
    if (topics.length === 0) return [];
    const resources = topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name }));
    const described = await this.#with((admin) => admin.describeConfigs({ resources, includeSynonyms: false }));
    return described.resources.flatMap(({ resourceName, configEntries }) => {
      const found = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]));
      return Object.entries(this.#wanted())
        .map(([setting, wanted]) => ({ topic: resourceName, setting, wanted, found: found.get(setting) ?? '' }))
        .filter((each) => each.found !== each.wanted);
    });
  }

  /** Gives topics the settings that they must have. */
  async correct(topics: readonly string[]): Promise<void> {
    const configEntries = Object.entries(this.#wanted()).map(([name, value]) => ({ name, value }));
    const resources = topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configEntries }));
    if (resources.length > 0) await this.#with((admin) => admin.alterConfigs({ validateOnly: false, resources }));
  }

  /**
   * Refuses a topic whose time is not the brokers'.
   *
   * @throws {RejectedError} `TOPIC_TIMESTAMPS`: correct the topic, or name another; exit with 78.
   */
  async requireAppendTime(topic: string): Promise<void> {
    const wrong = (await this.differences([topic])).find(({ setting }) => setting === 'message.timestamp.type');
    if (wrong === undefined) return;
    throw new RejectedError('TOPIC_TIMESTAMPS', 'topic has no append time', {
      hint: 'Set message.timestamp.type=LogAppendTime on it: "flyball topics apply" does.',
      detail: { topic, found: wrong.found },
    });
  }

  #wanted(): Readonly<Record<string, string>> {
    const { minInSync } = this.#replication;
    return minInSync === undefined ? TOPIC_CONFIG : { ...TOPIC_CONFIG, 'min.insync.replicas': String(minInSync) };
  }

  async #with<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Kafka({ ...this.#config, retry: { retries: 5, initialRetryTime: 100 } }).admin();
    try {
      await admin.connect();
      return await work(admin);
    } catch (cause) {
      throw unavailable(cause, 'a question about topics');
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }
}
