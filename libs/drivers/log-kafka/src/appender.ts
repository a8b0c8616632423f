import { RejectedError, UnavailableError } from '@flyball/core';
import type { Appended, NewRecord, Partition } from '@flyball/runtime';
import type { Connection } from './connection.ts';
import { produceRequest } from './internals.ts';
import { appendError, isStaleMetadata } from './kafka-errors.ts';
import { encodeProduce } from './produce-request.ts';

/** How long brokers may wait for their replicas, ms. */
const REPLICATION_TIMEOUT_MS = 8_000;
/** A leader that has moved is looked for this often before the caller is told. */
const TRIES_MAX = 4;
const BACKOFF_MS = 100;

/**
 * Appends to partitions: one partition per request, one request in flight per partition, and the answer must name the
 * partition and an offset. A plain producer; kafkajs's idempotent one loses acknowledged records.
 */
export class Appender {
  readonly #connection: Connection;
  readonly #batchBytesMax: number;
  readonly #last = new Map<string, Promise<unknown>>();

  /** @param batchBytesMax - `max.message.bytes` of the topics. */
  constructor(connection: Connection, batchBytesMax: number) {
    this.#connection = connection;
    this.#batchBytesMax = batchBytesMax;
  }

  /** See `Log.append`. */
  append(to: Partition, records: readonly NewRecord[]): Promise<Appended> {
    const place = `${to.topic}/${to.partition}`;
    const before = this.#last.get(place) ?? Promise.resolve();
    const appended = before.then(() => this.#append(to, records));
    const settled = appended.catch(() => undefined);
    this.#last.set(place, settled);
    void settled.then(() => {
      if (this.#last.get(place) === settled) this.#last.delete(place);
    });
    return appended;
  }

  async #append(to: Partition, records: readonly NewRecord[]): Promise<Appended> {
    const times = { timeoutMs: REPLICATION_TIMEOUT_MS, nowMs: Date.now() };
    const { bytes, batchBytes } = encodeProduce(to, records, times);
    if (batchBytes > this.#batchBytesMax) {
      const detail = { ...to, bytes: batchBytes, maxBytes: this.#batchBytesMax };
      throw new RejectedError('RECORD_TOO_LARGE', 'a batch is larger than the brokers take', { detail });
    }
    let unknown: unknown;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#produce(to, bytes);
      } catch (error) {
        if (error instanceof UnavailableError && error.code === 'LOG_APPEND_UNKNOWN') unknown = error;
        const isWorthATry = isStaleMetadata((error as Error).cause) && tries < TRIES_MAX;
        // What a try may have left there no later refusal takes back.
        if (!isWorthATry) throw unknown ?? error;
        await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS * tries));
        await this.#connection.refresh().catch(() => undefined);
      }
    }
  }

  async #produce(to: Partition, bytes: Buffer): Promise<Appended> {
    let wasSent = false;
    try {
      const answer = await this.#connection.withLeader(to, (broker) => {
        wasSent = true;
        return broker.connectionPool.send(produceRequest(bytes));
      });
      const named = answer.topics[0]?.partitions.find(({ partition }) => partition === to.partition);
      if (named === undefined) throw new Error('the answer names no offset');
      const { baseOffset, logAppendTime } = named;
      return { firstOffset: Number(baseOffset), appendedAtMs: Number(logAppendTime) };
    } catch (error) {
      if (error instanceof UnavailableError && !wasSent) throw error;
      throw appendError(error, wasSent);
    }
  }
}
