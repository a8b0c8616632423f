import type { RejectedError } from '@flyball/core';
import type { Provenance } from './provenance.ts';

/** Bodies by topic: what a processor may say, and where. */
export type TopicBodies = Readonly<Record<string, unknown>>;

/**
 * The one abstraction of this system. A stage is a deterministic, single-threaded machine: it is told
 * one entry after another and says what follows from it.
 *
 * A processor may not read a clock, a random number, the environment or the network. What it knows came
 * through `process`, so a lane that is run again from its log emits the same records, byte for byte. The
 * purity lint and the simulator keep this promise. State may be mutable inside, and must stay bounded.
 *
 * @typeParam In - tagged union of everything in the one inbox topic, already decoded.
 * @typeParam Out - the outbox topics and what may be said there.
 */
export interface Processor<In, Out extends TopicBodies> {
  /** Advances by one entry. What it says through `outbox`, and in which order, is part of the contract. */
  process(entry: Entry<In>, outbox: Outbox<Out>): void;
  /**
   * Told in place of `process` that an entry had to be left out, because it killed the processor before
   * or could not be decoded. What is missing must be made visible: lower the coverage.
   */
  skip(at: SkippedEntry, outbox: Outbox<Out>): void;
  /** The whole state. Same history, same bytes. Called between entries only; read by later releases too. */
  snapshot(): Uint8Array;
  /**
   * Replaces the state by a snapshot. Called at most once, before the first `process`.
   *
   * @throws {RejectedError} `SNAPSHOT_INVALID`; the runner quarantines it and tries an older one.
   */
  restore(snapshot: Uint8Array): void;
}

/** An entry of an inbox. */
export interface Entry<Body = unknown> {
  /** Which life of the lane this is; grows at a reset, so `(epoch, offset)` grows without state. */
  readonly epoch: number;
  readonly offset: number;
  /** Log time, ms since the Unix epoch: when the log appended the fact that caused this. */
  readonly atMs: number;
  readonly key: string;
  /** Who stamped it; `undefined` for a record of a foreign producer. */
  readonly provenance: Provenance | undefined;
  readonly body: Body;
}

/** What is known of an entry that was left out. */
export type SkippedEntry = Pick<Entry, 'offset' | 'atMs'>;

/** Where a processor says what follows. Valid only during the call that it was passed to. */
export interface Outbox<Out extends TopicBodies> {
  /** Publishes to the lane of `key`. */
  emit<T extends keyof Out & string>(topic: T, key: string, body: Out[T]): void;
  /** Publishes to every lane of a topic: time, and words of global scope. */
  broadcast<T extends keyof Out & string>(topic: T, body: Out[T]): void;
  /** Refuses the entry as foreign bytes that cannot be read. It is kept as a dead letter, with the cause. */
  reject(error: RejectedError): void;
}
