/** Headers of a record. Names are lower case; ours start with `flyball-`. */
export type Headers = Readonly<Record<string, string>>;

/** A record before it is in the log. */
export interface NewRecord {
  /** Routing key, or '' where the topic is not keyed. */
  readonly key: string;
  readonly headers: Headers;
  readonly value: Uint8Array;
}

/** A record as the log holds it. */
export interface StoredRecord extends NewRecord {
  /** Place in its partition, from 0, without holes. */
  readonly offset: number;
  /** When the log appended it, ms since the Unix epoch, by the log's own clock. */
  readonly appendedAtMs: number;
}

/** A partition of a topic. */
export interface Partition {
  readonly topic: string;
  readonly partition: number;
}
