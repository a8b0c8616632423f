import { Partitioners, type Producer } from 'kafkajs';
import { stockKafka } from '../cluster/stock-kafka.ts';
import type { ChaosStage } from './chaos-stage.ts';

/** A record as somebody who is not us writes it. */
export interface ForeignRecord {
  readonly value: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A producer on `otlp_spans` that is not ours. */
export class ForeignProducer {
  readonly #producer: Producer;

  private constructor(producer: Producer) {
    this.#producer = producer;
  }

  static async open({ cluster }: ChaosStage): Promise<ForeignProducer> {
    const createPartitioner = Partitioners.DefaultPartitioner;
    const producer = stockKafka(cluster.kafka.url).producer({ allowAutoTopicCreation: false, createPartitioner });
    await producer.connect();
    return new ForeignProducer(producer);
  }

  /** Appends records to one partition, in order. */
  async append(partition: number, records: readonly ForeignRecord[]): Promise<void> {
    const messages = records.map((record) => ({ ...record, partition }));
    if (messages.length > 0) await this.#producer.send({ topic: 'otlp_spans', acks: -1, messages });
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}
