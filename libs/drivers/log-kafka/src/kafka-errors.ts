import { RejectedError, UnavailableError } from '@flyball/core';

/** Codes of the Kafka protocol that are given before anything is written. */
const NOTHING_WRITTEN = new Set([
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'NOT_ENOUGH_REPLICAS',
]);
/**
 * Codes of a broker that does not lead the partition, or not any more. One that led it when the append came, and lost that while it
 * waited for the replicas, says the same: what it wrote may have been copied, and be kept by the next leader.
 */
const STALE_METADATA = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_LEADER_EPOCH',
]);
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const FORBIDDEN = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
]);

const FORBIDDEN_HINT = 'Check the user, its password, and its ACLs on this topic and group.';

/** The protocol's word for an error, from wherever kafkajs has put it; '' where there is none. */
export function kafkaCode(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = nextOf(at)) {
    const { type, name } = at as Error & { type?: unknown };
    if (typeof type === 'string' && type !== '') return type;
    if (name === 'KafkaJSSASLAuthenticationError') return 'SASL_AUTHENTICATION_FAILED';
  }
  return '';
}

function nextOf(error: Error): unknown {
  return error.cause ?? (error as Error & { errors?: readonly unknown[] }).errors?.[0];
}

/** Whether somebody else leads the partition now, or knows the topic: ask again who does. */
export function isStaleMetadata(error: unknown): boolean {
  return STALE_METADATA.has(kafkaCode(error));
}

const COMING = new Set(['GROUP_COORDINATOR_NOT_AVAILABLE', 'GROUP_LOAD_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP']);

/** Whether a group's coordinator is on its way: ask again in a moment. */
export function isComingCoordinator(error: unknown): boolean {
  return COMING.has(kafkaCode(error)) || (error as Error | undefined)?.name === 'KafkaJSGroupCoordinatorNotFound';
}

/**
 * What an error means for an append: `LOG_UNAVAILABLE` and `LOG_FORBIDDEN` say that nothing was written, `RECORD_TOO_LARGE`
 * that it never will be; everything else is `LOG_APPEND_UNKNOWN`.
 *
 * @param wasSent - whether the request may have left.
 */
export function appendError(cause: unknown, wasSent: boolean): Error {
  const code = kafkaCode(cause);
  if (TOO_LARGE.has(code))
    return new RejectedError('RECORD_TOO_LARGE', 'the brokers refuse a batch of this size', { cause });
  if (FORBIDDEN.has(code)) return forbidden(cause);
  if (!wasSent || NOTHING_WRITTEN.has(code)) {
    return new UnavailableError('LOG_UNAVAILABLE', `the brokers did not take an append${code && `: ${code}`}`, {
      cause,
    });
  }
  const why = code === '' ? 'an append was not answered' : `nobody knows whether an append was kept: ${code}`;
  return new UnavailableError('LOG_APPEND_UNKNOWN', why, { cause });
}

/** What an error means for everything else: nothing happened, or nothing was learned. */
export function unavailable(cause: unknown, what: string): UnavailableError {
  if (cause instanceof UnavailableError) return cause;
  const code = kafkaCode(cause);
  if (FORBIDDEN.has(code)) return forbidden(cause);
  return new UnavailableError('LOG_UNAVAILABLE', `${what} failed${code && `: ${code}`}`, { cause });
}

function forbidden(cause: unknown): UnavailableError {
  return new UnavailableError('LOG_FORBIDDEN', 'the brokers do not let us', { cause, hint: FORBIDDEN_HINT });
}
