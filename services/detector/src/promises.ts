import type { Objective, ObjectiveSet, Sli } from '@flyball/contracts';
import type { Ledger } from './standing.ts';

/** Words of one service that are kept: those of its two SLIs, with some that were said since the windows now judged. */
const WORDS_MAX = 8;

/** What a service promises, in the order in which it was said, and how it kept it. Plain data: it is a part of the snapshot. */
export interface PromisesState {
  readonly words: { readonly atMs: number; readonly objective: Objective }[];
  /** By SLI. They outlast a silence after which all else of a service is forgotten. */
  readonly ledgers: { [sli in Sli]?: Ledger };
}

/** What holds for a window, by SLI; missing where nothing is on record. */
export type Promises = { readonly [sli in Sli]?: Objective };

/** A service that promises nothing. */
export function newPromises(): PromisesState {
  return { words: [], ledgers: {} };
}

/** Takes in a word. The oldest goes that a newer one of the same SLI has replaced. */
export function addPromise({ words }: PromisesState, { atMs, objective }: ObjectiveSet): void {
  words.push({ atMs, objective });
  if (words.length <= WORDS_MAX) return;
  const oldest = words.findIndex((word, index) =>
    words.slice(index + 1).some((later) => later.objective.sli === word.objective.sli),
  );
  words.splice(oldest, 1);
}

/** What holds at `endMs` of log time: a word counts from when it was said, however early it was heard. */
export function promisesAt({ words }: PromisesState, endMs: number): Promises {
  const promises: { [sli in Sli]?: Objective } = {};
  for (const { atMs, objective } of words) if (atMs <= endMs) promises[objective.sli] = objective;
  return promises;
}
