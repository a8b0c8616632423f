import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';

/** A stock client of the brokers of a `kafka://` URL, for what others do. */
export function stockKafka(url: string, options: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({ brokers: url.replace('kafka://', '').split(','), logLevel: logLevel.NOTHING, ...options });
}
