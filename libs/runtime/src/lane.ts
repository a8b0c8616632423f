import type { DeadLetter } from '@flyball/contracts';
import type { Headers, StoredRecord } from './record.ts';
import type { Processor, TopicBodies } from './processor.ts';

/** How bodies of a topic become bytes and back. */
export interface Codec<Body> {
  encode(body: Body): Uint8Array;
  /** Headers that the record carries beside ours, e.g. those of a CloudEvent. */
  headers?(body: Body): Headers;
  /**
   * @throws {RejectedError} when the bytes cannot be read. In a topic that others write to, the record is
   * dead-lettered; in a topic of our own, the lane stops until it is upgraded.
   */
  decode(record: StoredRecord): Body;
}

/** Everything that makes a lane, but for its partition. */
export interface LaneSpec<In, Out extends TopicBodies> {
  /** Name of the processor: `local`. With inbox and partition it names the lane: `local:otlp_spans/3`. */
  readonly name: string;
  readonly create: (partition: number) => Processor<In, Out>;
  readonly inbox: Inbox<In>;
  /** Topics that the processor may say something to. */
  readonly outboxes: { readonly [T in keyof Out & string]: Outlet<Out[T]> };
  /** Topic that takes what cannot be read. */
  readonly deadLetters: Outlet<DeadLetter>;
  /** Whether its lanes keep together: one that runs ahead of the slowest waits, so that whoever merges them holds little. */
  readonly isPaced?: boolean;
  /** Digest of all that can change an emission: stage version, relevant configuration, Node version. */
  readonly behaviour: string;
}

/** The one topic that a processor reads. */
export interface Inbox<In> {
  readonly topic: string;
  readonly codec: Codec<In>;
  /** Whether others write to it. Only then can a record be unreadable without a bug of ours. */
  readonly foreign: boolean;
}

/** A topic that a processor writes. */
export interface Outlet<Body> {
  readonly topic: string;
  readonly codec: Pick<Codec<Body>, 'encode' | 'headers'>;
  readonly partitions: number;
}

/** Most bytes of a record that its dead letter holds. */
export const DEAD_LETTER_BYTES_MAX = 64 * 1024;

/** `<processor>:<topic>/<partition>`: unique over all topics, in marks, checkpoints, metrics and logs. */
export function laneName(processor: string, topic: string, partition: number): string {
  return `${processor}:${topic}/${partition}`;
}
