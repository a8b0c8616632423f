import { crc32, UnavailableError } from '@flyball/core';
import { type Checkpoint, CheckpointStore, type LastRecord } from './checkpoint.ts';
import { type Cut, cutOf } from './cut.ts';
import type { LaneSpec } from './lane.ts';
import { laneName } from './lane.ts';
import type { LanePorts } from './lane-runner.ts';
import type { Log } from './log.ts';
import { Marks } from './marks.ts';
import type { Processor, TopicBodies } from './processor.ts';
import { PROVENANCE_HEADER } from './provenance.ts';
import type { Partition } from './record.ts';
import { skippedOffsets } from './skips.ts';

/** Bytes of values that are looked through at once for a cut. */
const SCAN_BYTES_MAX = 1_000_000;

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
  /** Whether it replays what the release before has read already, up to a cut: counted, and told to people. */
  readonly isUnclean: boolean;
  /** The cut that gave the lane to this release, if it has yet to be reached: cuts to others below it are passed over. */
  readonly ownFrom: number;
}

/**
 * Finds where a lane goes on, and makes sure that nothing was lost since: loss never starts silently.
 *
 * @throws {UnavailableError} `LANE_STATE_LOST` when a lane that has lived has no valid checkpoint;
 * `LOG_TRUNCATED` when the log no longer holds what the checkpoint has read; `LOG_GAP` when it was trimmed
 * beyond the checkpoint; `LANE_NOT_ACTIVE` when the lane belongs to another release, `LANE_CUT_PENDING` while that has
 * not closed it yet.
 *
 * @param isUncleanAllowed - whether to replay to the cut when nobody closes the lane there.
 */
export async function openLane<In, Out extends TopicBodies>(
  spec: LaneSpec<In, Out>,
  ports: LanePorts,
  from: Partition,
  isUncleanAllowed = false,
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
    const birth = { epoch: 0, offset: 0, last: null, isBirth: true, isUnclean: false, ownFrom: 0 };
    return { ...birth, marks: new Marks(), topicId, skips, processor };
  }
  const { checkpoint, processor } = restored;
  await refuseChangedLog(ports, from, checkpoint, topicId);
  const crossed = await crossCut(spec, ports, { from, checkpoint, isUncleanAllowed });
  const { epoch, offset, last } = checkpoint;
  const place = { epoch, offset, last, isBirth: false, ...crossed };
  return { ...place, marks: new Marks(checkpoint.marks), topicId, skips, processor };
}

interface Crossing {
  readonly from: Partition;
  readonly checkpoint: Checkpoint;
  readonly isUncleanAllowed: boolean;
}

const NOT_CROSSED = { isUnclean: false, ownFrom: 0 };

/**
 * Makes sure that a lane changes hands at a cut to this behaviour, and nowhere else. A lane that stands at a cut to another was
 * given away, whoever has closed it there: also this release gets it back only at a cut to itself, and waits for the other
 * to close it there. If that never runs, this one replays what was meant for it.
 *
 * @returns whether the cut is unclean: nobody of the release before has closed the lane there, so this one replays to it.
 */
async function crossCut<In, Out extends TopicBodies>(
  spec: LaneSpec<In, Out>,
  { log }: LanePorts,
  { from, checkpoint, isUncleanAllowed }: Crossing,
): Promise<Pick<OpenedLane<In, Out>, 'isUnclean' | 'ownFrom'>> {
  const { name, behaviour, inbox } = spec;
  const { offset } = checkpoint;
  const isOurs = checkpoint.behaviour === behaviour || checkpoint.behaviour === '';
  if (isOurs && !(await isGivenAway(spec, log, from, offset))) return NOT_CROSSED;
  const cutAt = await findCut(log, from, offset, (cut) => cut.behaviours[name] === behaviour);
  const detail = { lane: laneName(name, inbox.topic, from.partition), offset, behaviour };
  if (cutAt === undefined) {
    const hint = 'Activate this release with "flyball release activate", or start the one that is active.';
    throw new UnavailableError('LANE_NOT_ACTIVE', 'the lane belongs to another release', { hint, detail });
  }
  if (cutAt === offset) return NOT_CROSSED;
  if (isUncleanAllowed) return { isUnclean: true, ownFrom: cutAt };
  const hint = 'A process of the release before has to read on to the cut and close the lane there.';
  throw new UnavailableError('LANE_CUT_PENDING', 'the release before has not closed the lane yet', { hint, detail });
}

/** Whether the next record is a cut to another behaviour. */
async function isGivenAway<In, Out extends TopicBodies>(
  { name, behaviour }: LaneSpec<In, Out>,
  log: Log,
  from: Partition,
  offset: number,
): Promise<boolean> {
  const [next] = await log.read(from, offset, 1);
  const to = next && cutOf(next.headers)?.behaviours[name];
  return to !== undefined && to !== behaviour;
}

/** Offset of the first cut from an offset on that is wanted. */
async function findCut(
  log: Log,
  from: Partition,
  offset: number,
  isWanted: (cut: Cut) => boolean,
): Promise<number | undefined> {
  for (let at = offset; ;) {
    const records = await log.read(from, at, SCAN_BYTES_MAX);
    if (records.length === 0) return undefined;
    for (const record of records) {
      const cut = cutOf(record.headers);
      if (cut !== undefined && isWanted(cut)) return record.offset;
      at = record.offset + 1;
    }
  }
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
