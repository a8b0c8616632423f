import { type Topic, TOPOLOGY } from '@flyball/contracts';
import { CheckpointStore, laneName, type Objects } from '@flyball/runtime';
import type { Place } from './names.ts';

/**
 * Edges keep no checkpoints. What they read from its start is never trimmed (`isKept`); of other topics they show what is there.
 * A reader that is not named here is taken for a processor, without whose checkpoint nothing is trimmed.
 */
const EDGES: ReadonlySet<string> = new Set(['actuator', 'api']);

/** Why a partition is not trimmed further, and up to where it may be. */
export interface ReadersBound {
  /** Every reader is at this offset or beyond it, also if it has to start again from its oldest checkpoint. */
  readonly offset: number;
  /** The lane that is furthest behind, or has no checkpoint; '' where no lane reads the topic. */
  readonly lane: string;
}

/** Up to where no lane reads a partition any more. A lane that should exist and has no checkpoint may want all of it. */
export async function readersBound(objects: Objects, { topic, topicId, partition }: Place): Promise<ReadersBound> {
  const checkpoints = new CheckpointStore(objects);
  const readers: readonly string[] = TOPOLOGY[topic as Topic]?.readers ?? [];
  let bound: ReadersBound = { offset: Infinity, lane: '' };
  for (const reader of readers) {
    if (EDGES.has(reader)) continue;
    const lane = laneName(reader, topic, partition);
    const oldest = await checkpoints.oldest(lane);
    // A checkpoint of another topic of the same name says nothing about this one.
    const offset = oldest?.topicId === topicId ? oldest.offset : 0;
    if (offset < bound.offset) bound = { offset, lane };
  }
  return bound;
}
