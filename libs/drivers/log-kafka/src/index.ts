export { KafkaLog, openKafkaLog } from './kafka-log.ts';
export type { KafkaLogOptions } from './kafka-log.ts';
export { kafkaTopics } from './topic-settings.ts';
export type { Replication, TopicDifference } from './topic-settings.ts';
