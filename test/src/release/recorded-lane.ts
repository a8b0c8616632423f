import { concatBytes, crc32, sha256Hex, utf8 } from '@flyball/core';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import {
  type AnyLaneSpec,
  CheckpointStore,
  createTopics,
  LaneRunner,
  laneName,
  type Log,
  type StoredRecord,
} from '@flyball/runtime';
import { TOPICS } from '@flyball/contracts';

/** A record of an inbox as it is kept in `testdata`. */
interface RecordedRecord {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly valueBase64: string;
  readonly appendedAtMs: number;
}

/** One lane as a release ran it: what it read, what it said, and what it kept in the middle. */
export interface RecordedLane {
  readonly processor: string;
  readonly topic: string;
  readonly partition: number;
  readonly inbox: readonly RecordedRecord[];
  /** SHA-256 of all that it said. */
  readonly saidDigest: string;
  /** SHA-256 of what it said after the middle. */
  readonly secondHalfDigest: string;
  /** Its checkpoint in the middle, as an object: what a later release must be able to go on from. */
  readonly checkpoint: { readonly name: string; readonly bytesBase64: string };
}

/** All lanes of a release. */
export interface RecordedRelease {
  readonly lineVersion: number;
  readonly lanes: readonly RecordedLane[];
}

export const LANES = 4;

/** A log that holds nothing but an inbox, and takes what a lane says. */
async function logOf({
  topic,
  partition,
  inbox,
}: Pick<RecordedLane, 'topic' | 'partition' | 'inbox'>): Promise<MemoryLog> {
  let nowMs = 0;
  // The same topics, also when a later release has more of them.
  const log = new MemoryLog(
    () => nowMs,
    (name) => name,
  );
  await createTopics(log, { lanes: LANES, rawPartitions: LANES });
  for (const { key, headers, valueBase64, appendedAtMs } of inbox) {
    nowMs = appendedAtMs;
    await log.append({ topic, partition }, [
      { key, headers, value: new Uint8Array(Buffer.from(valueBase64, 'base64')) },
    ]);
  }
  return log;
}

/** What a lane has said: every record of every other topic, in order, as one digest. */
async function digestOfSaid(log: Log, inbox: RecordedLane, fromOffsets: ReadonlyMap<string, number>): Promise<string> {
  const parts: Uint8Array[] = [];
  for (const [place, records] of await saidBy(log, inbox)) {
    for (const { key, headers, value } of records.slice(fromOffsets.get(place) ?? 0)) {
      parts.push(utf8(`${place} ${key} ${JSON.stringify(Object.entries(headers).sort())} ${crc32(value)}\n`));
    }
  }
  return sha256Hex(concatBytes(parts));
}

async function saidBy(
  log: Log,
  { topic, partition, inbox }: RecordedLane,
): Promise<Map<string, readonly StoredRecord[]>> {
  const said = new Map<string, readonly StoredRecord[]>();
  for (const each of TOPICS) {
    for (let lane = 0; lane < LANES; lane += 1) {
      const skip = each === topic && lane === partition ? inbox.length : 0;
      said.set(`${each}/${lane}`, await log.read({ topic: each, partition: lane }, skip, Infinity));
    }
  }
  return said;
}

/** Runs a lane over a recorded inbox with the code as it is now. */
export async function runLane(
  spec: AnyLaneSpec,
  lane: Pick<RecordedLane, 'topic' | 'partition' | 'inbox' | 'processor'>,
): Promise<Pick<RecordedLane, 'saidDigest' | 'secondHalfDigest' | 'checkpoint'>> {
  const log = await logOf(lane);
  const objects = new MemoryObjects();
  const runner = await LaneRunner.open(spec, { log, objects }, lane.partition);
  const middle = Math.floor(lane.inbox.length / 2);
  while (runner.offset < middle) await runner.pump(1);
  await runner.checkpoint();
  const name = (await objects.list('checkpoints/')).at(-1)!;
  const bytes = (await objects.get(name))!;
  const asRecorded = { ...lane, saidDigest: '', secondHalfDigest: '', checkpoint: { name, bytesBase64: '' } };
  const counts = new Map([...(await saidBy(log, asRecorded))].map(([place, records]) => [place, records.length]));
  while ((await runner.pump()) > 0);
  return {
    saidDigest: await digestOfSaid(log, asRecorded, new Map()),
    secondHalfDigest: await digestOfSaid(log, asRecorded, counts),
    checkpoint: { name, bytesBase64: Buffer.from(bytes).toString('base64') },
  };
}

/** Opens a lane at the checkpoint that an older release kept, and runs the rest: what is said then, as a digest. */
export async function goOnFrom(spec: AnyLaneSpec, lane: RecordedLane): Promise<string> {
  const log = await logOf(lane);
  const objects = new MemoryObjects();
  const bytes = new Uint8Array(Buffer.from(lane.checkpoint.bytesBase64, 'base64'));
  await objects.put(lane.checkpoint.name, bytes);
  const name = laneName(spec.name, lane.topic, lane.partition);
  // A cut would come before; here only what was kept counts.
  const behaviour = await new CheckpointStore(objects).newest(name, (checkpoint) => checkpoint.behaviour);
  const runner = await LaneRunner.open({ ...spec, behaviour: behaviour! }, { log, objects }, lane.partition);
  while ((await runner.pump()) > 0);
  return digestOfSaid(log, lane, new Map());
}
