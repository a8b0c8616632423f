import { AggregatorConfig } from '@flyball/aggregator';
import { TOPICS } from '@flyball/contracts';
import { DetectorConfig } from '@flyball/detector';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { PlannerConfig } from '@flyball/planner';
import { type AnyLaneSpec, createTopics, LaneRunner, laneName, type Log, type StoredRecord } from '@flyball/runtime';
import { lineSpecs } from '@flyball/standalone';
import { recordsOf } from '@flyball/testing';
import type { Settings } from '../cluster/settings.ts';
import type { Findings } from './findings.ts';
import { type PartitionRecords, topicRecords } from './topic-records.ts';

/** A deployment's log, as a run has left it. */
export interface RunLog {
  readonly lanes: number;
  /** What was said, by topic, when it was read first. */
  readonly said: ReadonlyMap<string, readonly PartitionRecords[]>;
  /** The same topics a little later: all that was said follows from what is in here. */
  readonly inboxes: ReadonlyMap<string, readonly PartitionRecords[]>;
}

/** Reads all that lanes say, and then all that they read. */
export async function runLog(log: Log, lanes: number): Promise<RunLog> {
  return { lanes, said: await allTopics(log), inboxes: await allTopics(log) };
}

async function allTopics(log: Log): Promise<ReadonlyMap<string, readonly PartitionRecords[]>> {
  const topics = new Map<string, readonly PartitionRecords[]>();
  for (const topic of TOPICS) topics.set(topic, await topicRecords(log, topic));
  return topics;
}

/** Specifications of all lanes of a deployment with these settings. */
export function specsOf({ aggregator, detector, planner }: Settings, lanes: number): readonly AnyLaneSpec[] {
  const config = {
    aggregator: AggregatorConfig.parse(aggregator ?? {}),
    detector: DetectorConfig.parse(detector ?? {}),
    planner: PlannerConfig.parse(planner ?? {}),
  };
  return lineSpecs(config, lanes, process.version);
}

/**
 * The same inbox, the same words: every lane is run again by itself, from its birth on, in one go; what it says must be byte
 * for byte what the deployment's lanes have said, whoever was killed, frozen or cut off meanwhile.
 */
export async function checkReplay(run: RunLog, specs: readonly AnyLaneSpec[], findings: Findings): Promise<void> {
  const wrong: string[] = [];
  let records = 0;
  for (const spec of specs) {
    for (const { partition, stored } of run.inboxes.get(spec.inbox.topic)!) {
      const lane = laneName(spec.name, spec.inbox.topic, partition);
      if ((stored[0]?.offset ?? 0) > 0) throw new Error(`${lane} cannot be run again: its inbox was trimmed`);
      for (const [place, again] of await saidAgain(spec, { partition, stored, lanes: run.lanes })) {
        const said = saidBy(lane, place, run);
        records += said.length;
        const at = said.findIndex((record, index) => textOf(record) !== textOf(again[index]));
        if (at >= 0) wrong.push(`${lane} to ${place}, record ${at} at offset ${said[at]!.offset}`);
      }
    }
  }
  findings.none(wrong, 'lanes say something else when they are run again');
  findings.note('records said again', records);
}

/** What a lane says of an inbox, by place. */
async function saidAgain(
  spec: AnyLaneSpec,
  { partition, stored, lanes }: { partition: number; stored: readonly StoredRecord[]; lanes: number },
): Promise<ReadonlyMap<string, readonly StoredRecord[]>> {
  let nowMs = 0;
  const log = new MemoryLog(() => nowMs);
  await createTopics(log, { lanes, rawPartitions: lanes });
  const inbox = { topic: spec.inbox.topic, partition };
  for (const { key, headers, value, appendedAtMs } of stored) {
    nowMs = appendedAtMs;
    await log.append(inbox, [{ key, headers, value }]);
  }
  const runner = await LaneRunner.open(spec, { log, objects: new MemoryObjects() }, partition);
  while ((await runner.pump()) > 0);
  const said = new Map<string, readonly StoredRecord[]>();
  for (const topic of new Set([...Object.keys(spec.outboxes), spec.deadLetters.topic])) {
    for (let lane = 0; lane < lanes; lane += 1) {
      const all = await recordsOf(log, { topic, partition: lane });
      const isInbox = topic === inbox.topic && lane === partition;
      said.set(`${topic}/${lane}`, isInbox ? all.slice(stored.length) : all);
    }
  }
  return said;
}

/** What a lane has said in a place, in order, without repetitions. */
function saidBy(lane: string, place: string, { said }: RunLog): readonly StoredRecord[] {
  const at = place.lastIndexOf('/');
  const { counted } = said.get(place.slice(0, at))![Number(place.slice(at + 1))]!;
  return counted.filter(({ headers }) => headers['flyball-provenance']?.endsWith(`@${lane}`));
}

function textOf(record: StoredRecord | undefined): string {
  if (record === undefined) return '';
  const { key, headers, value } = record;
  return JSON.stringify([key, Object.entries(headers).sort(), Buffer.from(value).toString('base64')]);
}
