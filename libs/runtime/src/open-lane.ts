import { crc32, UnavailableError } from '@flyball/core';
import { type Checkpoint, CheckpointStore, type LastRecord } from './checkpoint.ts';
import type { LaneSpec } from './lane.ts';
import { laneName } from './lane.ts';
import type { LanePorts } from './lane-runner.ts';
import { Marks } from './marks.ts';
import type { Processor, TopicBodies } from './processor.ts';
import { PROVENANCE_HEADER } from './provenance.ts';
import type { Partition } from './record.ts';
import { skippedOffsets } from './skips.ts';

/** What to do about a lane whose state or log was lost. */
export const RESET_HINT =
  'The lane stays closed; flyball lane reset --accept-loss starts a new life of it at the end of the log.';

/** A lane at the place where it goes on. */
export interface OpenedLane<In, Out extends TopicBodies> {
  readonly epoch: number;
  readonly offset: number;
  readonly last: LastRecord | null;
  readonly marks: Marks;
  readonly topicId: string;
  readonly skips: ReadonlySet<number>;
  readonly processor: Processor<In, Out>;
  /** Whether the lane never lived: its birth must be put on record before anything else. */
  readonly isBirth: boolean;
}

/**
 * Finds where a lane goes on, and makes sure that nothing was lost since: loss never starts silently.
 *
 * @throws {UnavailableError} `LANE_STATE_LOST` when a lane that has lived has no valid checkpoint;
 * `LOG_TRUNCATED` when the log no longer holds what the checkpoint has read; `LOG_GAP` when it was trimmed
 * beyond the checkpoint.
 */
export async function openLane<In, Out extends TopicBodies>(
  spec: LaneSpec<In, Out>,
  ports: LanePorts,
  from: Partition,
): Promise<OpenedLane<In, Out>> {
  const lane = laneName(spec.name, from.topic, from.partition);
  const { id: topicId } = await ports.log.describe(from.topic);
  const skips = await skippedOffsets(ports.objects, lane);
  const restored = await new CheckpointStore(ports.objects).newest(lane, (checkpoint) => {
    const processor = spec.create(from.partition);
    // A birth has no state yet.
    if (checkpoint.state.length > 0) processor.restore(checkpoint.state);
    return { checkpoint, processor };
  });
  if (restored === undefined) {
    await refuseLostState(ports, lane, from);
    const processor = spec.create(from.partition);
    return { epoch: 0, offset: 0, last: null, marks: new Marks(), topicId, skips, processor, isBirth: true };
  }
  const { checkpoint, processor } = restored;
  await refuseChangedLog(ports, from, checkpoint, topicId);
  const { epoch, offset, last } = checkpoint;
  return { epoch, offset, last, marks: new Marks(checkpoint.marks), topicId, skips, processor, isBirth: false };
}

async function refuseLostState({ log }: LanePorts, lane: string, from: Partition): Promise<void> {
  const committed = await log.committed(lane, from);
  const { startOffset } = await log.range(from);
  if (committed === undefined && startOffset === 0) return;
  throw new UnavailableError('LANE_STATE_LOST', 'a lane that has lived has no valid checkpoint', {
    hint: RESET_HINT,
    detail: { lane, committed: committed ?? -1, startOffset },
  });
}

async function refuseChangedLog(
  { log }: LanePorts,
  from: Partition,
  { lane, offset, last, topicId: readTopicId }: Checkpoint,
  topicId: string,
): Promise<void> {
  const { startOffset, endOffset } = await log.range(from);
  const detail = { lane, offset, startOffset, endOffset };
  const truncated = (message: string) => new UnavailableError('LOG_TRUNCATED', message, { hint: RESET_HINT, detail });
  if (topicId !== readTopicId) throw truncated('the inbox is another topic of the same name');
  if (offset > endOffset) throw truncated('the log ends before what was read from it');
  if (offset < startOffset) {
    throw new UnavailableError('LOG_GAP', 'the log was trimmed beyond the checkpoint', { hint: RESET_HINT, detail });
  }
  if (last === null || offset === startOffset) return; // The last record read is trimmed, or there was none.
  const [record] = await log.read(from, offset - 1, 1);
  const isSame =
    record !== undefined &&
    (record.headers[PROVENANCE_HEADER] ?? '') === last.provenance &&
    crc32(record.value) === last.crc;
  if (!isSame) throw truncated('the last record read is not in the log any more');
}
