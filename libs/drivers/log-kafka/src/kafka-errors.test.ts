import { expect, test } from 'vitest';
import { appendError, isStaleMetadata } from './kafka-errors.ts';

// Goal: nobody is told that nothing was written where something may have been. Source: Kafka, `DelayedProduce`, and the codes' docs.

const kafkaError = (type: string) => Object.assign(new Error('planted'), { type });

test.each(['NOT_ENOUGH_REPLICAS', 'LEADER_NOT_AVAILABLE', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH'])(
  '%s came before anything was written',
  (code) => expect(appendError(kafkaError(code), true)).toMatchObject({ code: 'LOG_UNAVAILABLE' }),
);

test.each([
  'NOT_LEADER_FOR_PARTITION',
  'NOT_LEADER_OR_FOLLOWER',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'REQUEST_TIMED_OUT',
])('after %s nobody knows', (code) => {
  expect(appendError(kafkaError(code), true)).toMatchObject({ code: 'LOG_APPEND_UNKNOWN' });
  expect(appendError(kafkaError(code), false)).toMatchObject({ code: 'LOG_UNAVAILABLE' });
});

test('who does not lead any more is a reason to ask who does; too few copies are none', () => {
  expect(isStaleMetadata(kafkaError('NOT_LEADER_FOR_PARTITION'))).toBe(true);
  expect(isStaleMetadata(kafkaError('NOT_ENOUGH_REPLICAS'))).toBe(false);
});
