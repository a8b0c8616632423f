import { textOf, utf8 } from '@flyball/core';
import type { Objects } from '@flyball/runtime';
import { z } from 'zod';
import type { Told } from './notice.ts';

/** Incidents that are over and still known, so that a revision that was appended twice is not told twice. */
const CLOSED_KEPT = 200;

const Saved = z.object({
  version: z.literal(1),
  topicId: z.string(),
  offset: z.int().nonnegative(),
  bornOffset: z.int().nonnegative(),
  told: z.array(
    z.object({
      incidentId: z.string(),
      revision: z.int().positive(),
      severity: z.enum(['critical', 'warning']),
      service: z.string(),
      facts: z.string(),
      isOpen: z.boolean(),
      isSilenced: z.boolean(),
      offset: z.int().nonnegative(),
    }),
  ),
});

const SavedWell = z.object({ version: z.literal(1), isWell: z.boolean() });

/** How far a connection was told of one partition. */
export interface FeedProgress {
  readonly topicId: string;
  /** Next offset: all before was told, or was not for it. */
  readonly offset: number;
  /** Before this offset it is told of what is still open there alone. */
  readonly bornOffset: number;
  readonly told: readonly Told[];
}

/** Keeps what connections were told, in the object store: `notifier/<connection>/<partition>`, and `…/deadman` of how we are. */
export class ProgressStore {
  readonly #objects: Objects;

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  /**
   * @returns `undefined` for a connection that nobody knows yet, or whose progress nobody can read: it is told of what is open.
   * @throws {UnavailableError} `OBJECTS_UNAVAILABLE`
   */
  async load(connection: string, partition: number): Promise<FeedProgress | undefined> {
    const value = await this.#objects.get(nameOf(connection, partition));
    if (value === undefined) return undefined;
    return Saved.safeParse(parse(textOf(value))).data;
  }

  /** Durable on return. @throws {UnavailableError} `OBJECTS_UNAVAILABLE` */
  async save(connection: string, partition: number, progress: FeedProgress): Promise<void> {
    const saved: z.infer<typeof Saved> = { version: 1, ...progress, told: [...progress.told] };
    await this.#objects.put(nameOf(connection, partition), utf8(JSON.stringify(saved)));
  }

  /**
   * Whether a connection was told last that we are well.
   *
   * @returns `undefined` where it was told neither.
   * @throws {UnavailableError} `OBJECTS_UNAVAILABLE`
   */
  async loadWell(connection: string): Promise<boolean | undefined> {
    const value = await this.#objects.get(nameOf(connection, 'deadman'));
    return value && SavedWell.safeParse(parse(textOf(value))).data?.isWell;
  }

  /** Durable on return. @throws {UnavailableError} `OBJECTS_UNAVAILABLE` */
  async saveWell(connection: string, isWell: boolean): Promise<void> {
    const saved: z.infer<typeof SavedWell> = { version: 1, isWell };
    await this.#objects.put(nameOf(connection, 'deadman'), utf8(JSON.stringify(saved)));
  }
}

/** All that are open, and the newest of those that are over. */
export function worthKeeping(told: readonly Told[]): readonly Told[] {
  const closed = told.filter(({ isOpen }) => !isOpen).slice(-CLOSED_KEPT);
  return [...told.filter(({ isOpen }) => isOpen), ...closed];
}

function nameOf(connection: string, partition: number | 'deadman'): string {
  return `notifier/${connection}/${partition}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
