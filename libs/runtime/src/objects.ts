/**
 * Object storage: whole values under names such as `checkpoints/global:flyball.partials/0/0000`. Port; a
 * driver is chosen by URL and passes the conformance suite of `libs/testing`.
 */
export interface Objects {
  /** Stores a value whole: a reader sees the old value or the new one, never a part. Durable on return. */
  put(name: string, value: Uint8Array): Promise<void>;
  /** The value, or `undefined` where there is none. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Names that start with `prefix`, in ascending order of their UTF-16 code units. */
  list(prefix: string): Promise<readonly string[]>;
  /** Removes a value; no error where there is none. */
  delete(name: string): Promise<void>;
}
