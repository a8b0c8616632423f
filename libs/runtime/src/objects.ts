import { RejectedError } from '@flyball/core';
import type { Files } from './files.ts';

/**
 * Object storage: whole values under names such as `checkpoints/global:flyball.partials/0/0000`. Port; a
 * driver is chosen by URL and passes the conformance suite of `libs/testing`.
 *
 * A name is never the folder of another: beside `d/e/f` there is no `d/e`. Object stores that are made of files
 * refuse it, and no code of ours needs it.
 *
 * All methods throw {@link UnavailableError} `OBJECTS_UNAVAILABLE`: back off; and, but for `list`,
 * {@link RejectedError} `OBJECT_NAME`: see {@link refuseObjectName}.
 */
export interface Objects {
  /** Stores a value whole: a reader sees the old value or the new one, never a part. Durable on return. */
  put(name: string, value: Uint8Array): Promise<void>;
  /**
   * Stores a value like `put`, but only where there is none; of many callers at once one gets `true`.
   *
   * @returns `false` when there is a value already; it stays as it is.
   * @throws {UnavailableError} `OBJECTS_UNAVAILABLE`: it may have been stored. Read it to see whose it is.
   */
  create(name: string, value: Uint8Array): Promise<boolean>;
  /** The value, or `undefined` where there is none. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Names that start with `prefix`, in ascending order of their UTF-16 code units. */
  list(prefix: string): Promise<readonly string[]>;
  /** Removes a value; no error where there is none. */
  delete(name: string): Promise<void>;
}

/** How a process has its object store opened. */
export interface ObjectsOptions {
  /** How a store on disk writes; others have nothing to do with it. */
  readonly files?: Files;
}

const NAME = /^[\w.:-]+(\/[\w.:-]+)*$/;

/**
 * Refuses what no store could hold, or what could leave a folder. Segments between slashes are letters, digits,
 * `_`, `.`, `:` and `-`, and neither `.` nor `..`.
 *
 * @throws {RejectedError} `OBJECT_NAME`: never repeat it.
 */
export function refuseObjectName(name: string): void {
  const isPlain = NAME.test(name) && !name.split('/').some((part) => part === '.' || part === '..');
  if (!isPlain) throw new RejectedError('OBJECT_NAME', 'not a name of an object', { detail: { name } });
}
