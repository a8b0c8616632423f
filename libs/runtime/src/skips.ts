import { EMPTY_BYTES } from '@flyball/core';
import type { Objects } from './objects.ts';

/** After this many deaths at one entry it is left out by every runner of the lane. */
export const DEATHS_MAX = 3;

const DIGITS = 16;

/** Offsets that every runner of a lane leaves out. Read once, when a runner opens. */
export async function skippedOffsets(objects: Objects, lane: string): Promise<ReadonlySet<number>> {
  const names = await objects.list(`skips/${lane}/`);
  return new Set(names.map((name) => Number(name.slice(-DIGITS))));
}

/**
 * Puts on record that a processor died at an entry, so that one poisonous entry cannot wedge a lane for
 * ever. A supervisor calls it after a `ProcessDiedError`, then opens a new runner.
 *
 * @param death - names this death, unique per start of a runner.
 * @returns whether the entry is left out from now on.
 */
export async function recordDeath(
  objects: Objects,
  at: { readonly lane: string; readonly offset: number },
  death: string,
): Promise<boolean> {
  const offset = String(at.offset).padStart(DIGITS, '0');
  await objects.put(`deaths/${at.lane}/${offset}/${death}`, EMPTY_BYTES);
  const deaths = await objects.list(`deaths/${at.lane}/${offset}/`);
  if (deaths.length < DEATHS_MAX) return false;
  await objects.put(`skips/${at.lane}/${offset}`, EMPTY_BYTES);
  return true;
}
