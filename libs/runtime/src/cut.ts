import { EMPTY_BYTES } from '@flyball/core';
import type { AnyLaneSpec } from './line.ts';
import type { Log } from './log.ts';
import type { Headers } from './record.ts';

/** Header of a cut; the record's value is empty, which says nothing to anybody else. */
const CUT_HEADER = 'flyball-cut';

/** The record at which the behaviour of a lane changes: what comes after it is for the release that it names. */
export interface Cut {
  /** For people: what is activated. */
  readonly release: string;
  /** Behaviour of each processor from here on, by its name. */
  readonly behaviours: Readonly<Record<string, string>>;
}

/** The cut that a record is, or `undefined`; what somebody else calls a cut is none. */
export function cutOf(headers: Headers): Cut | undefined {
  const text = headers[CUT_HEADER];
  if (text === undefined) return undefined;
  try {
    const { release, behaviours } = JSON.parse(text) as Cut;
    return typeof release === 'string' && typeof behaviours === 'object' ? { release, behaviours } : undefined;
  } catch {
    return undefined;
  }
}

/** What a cut to these processors says. */
export function cutTo(specs: readonly AnyLaneSpec[], release: string): Cut {
  return { release, behaviours: Object.fromEntries(specs.map(({ name, behaviour }) => [name, behaviour])) };
}

/**
 * Puts a cut on record in every lane of every inbox of these processors. Said twice it is one cut: the second changes nothing.
 *
 * @returns how many lanes were told.
 * @throws {UnavailableError} from the log. Do it again: lanes that were told already do not mind.
 */
export async function activate(log: Log, specs: readonly AnyLaneSpec[], release: string): Promise<number> {
  const headers = { [CUT_HEADER]: JSON.stringify(cutTo(specs, release)) };
  let lanes = 0;
  for (const topic of new Set(specs.map(({ inbox }) => inbox.topic))) {
    const { partitions } = await log.describe(topic);
    for (let partition = 0; partition < partitions; partition += 1) {
      await log.append({ topic, partition }, [{ key: '', headers, value: EMPTY_BYTES }]);
      lanes += 1;
    }
  }
  return lanes;
}
