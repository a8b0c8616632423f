export { KafkaLog, openKafkaLog } from './kafka-log.ts';
export type { KafkaLogOptions } from './kafka-log.ts';
export type { Replication, TopicDifference } from './topic-settings.ts';
