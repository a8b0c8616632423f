import { EMPTY_BYTES } from '@flyball/core';
import { type Checkpoint, CheckpointStore } from './checkpoint.ts';
import { laneName } from './lane.ts';
import type { LanePorts } from './lane-runner.ts';
import { Marks } from './marks.ts';
import type { Partition } from './record.ts';

/** A new life of a lane. */
export interface LaneReset {
  readonly lane: string;
  readonly epoch: number;
  /** Where it starts: the end of the log. */
  readonly offset: number;
}

/**
 * Accepts that the state of a lane, or a part of its log, is lost: the lane starts a new life at the end of the log, with
 * nothing known. Whatever a zombie of an older life still says is dropped by its epoch. A planner comes up paused.
 *
 * @param state - snapshot of what is known all the same, because what the lane has said tells it; default nothing.
 * @throws {UnavailableError} from the ports. Nothing was reset; do it again.
 */
export async function resetLane(
  { log, objects }: LanePorts,
  processor: string,
  at: Partition,
  state: Uint8Array = EMPTY_BYTES,
): Promise<LaneReset> {
  const lane = laneName(processor, at.topic, at.partition);
  const store = new CheckpointStore(objects);
  const { id: topicId } = await log.describe(at.topic);
  const { endOffset: offset } = await log.range(at);
  // Without a checkpoint at all it may have lived its first life.
  const lived = (await log.committed(lane, at)) === undefined ? -1 : 0;
  const epoch = Math.max(lived, await store.newestEpoch(lane)) + 1;
  const life: Checkpoint = {
    lane,
    epoch,
    offset,
    topicId,
    last: null,
    // Of no release: whichever comes first makes it its own.
    behaviour: '',
    marks: new Marks().save(),
    state,
  };
  await store.put(life);
  await log.commit(lane, at, offset);
  return { lane, epoch, offset };
}
