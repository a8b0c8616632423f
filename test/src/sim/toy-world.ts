import { Prng, SECOND_MS, slotStartMs, textOf, utf8 } from '@flyball/core';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { formatProvenance, Marks, PROVENANCE_HEADER, provenanceOf, writerOrigin } from '@flyball/runtime';
import { allRecords, type AppendFault, type FaultRates, FaultyLog, recordsOf, stage, World } from '@flyball/testing';
import { type Fact, GRACE_MS, toyStages, WINDOW_MS } from './toy-line.ts';

/** Partitions of the facts, and lanes of every other topic. */
const FACT_PARTITIONS = 4;
const LANES = 4;
const SECONDS = 120;
const SUBJECTS = ['checkout', 'search', 'cart', 'mail', 'web', 'pay', 'stock'];
const FAULTS: readonly AppendFault[] = ['lost', 'prefix', 'unacked', 'late', 'full'];

/** No faults at all. */
export const CALM: FaultRates = { zombie: 0, crash: 0, checkpoint: 0.05 };
/** Everything goes wrong, often. */
export const ROUGH: FaultRates = { zombie: 0.04, crash: 0.1, checkpoint: 0.3 };

/** A run of the toy line: what the log holds at its end, and what happened on the way. */
export interface ToyRun {
  readonly log: MemoryLog;
  readonly objects: MemoryObjects;
  readonly world: World;
}

/**
 * Runs the toy line over the facts of a seed, with the faults of the same seed when `rates` has any. The facts
 * are the same in every run of a seed.
 */
export async function runToy(seed: number, rates: FaultRates): Promise<ToyRun> {
  const clock = { nowMs: 0 };
  const log = new MemoryLog(() => clock.nowMs);
  const objects = new MemoryObjects();
  await log.create('facts', FACT_PARTITIONS);
  for (const topic of ['parts', 'totals', 'alarms', 'dead']) await log.create(topic, LANES);
  await appendFacts(log, clock, seed);

  const dice = new Prng(seed ^ 0xfa17);
  const faultRatio = rates.crash > 0 ? 0.1 : 0;
  const draw = () => (dice.chance(faultRatio) ? dice.pick(FAULTS) : 'none');
  const faulty = new FaultyLog(log, draw, () => dice.chance(faultRatio / 2));
  const { tally, total, alarm } = toyStages(FACT_PARTITIONS, LANES);
  const stages = [stage(tally, FACT_PARTITIONS), stage(total, LANES), stage(alarm, LANES)];
  const world = new World(stages, { log: faulty, objects }, dice);
  await world.run(rates);
  await faulty.heal();
  await world.run(CALM);
  return { log, objects, world };
}

/** Two minutes of facts: some late, some repeated by their writer, some foreign, some unreadable. */
async function appendFacts(log: MemoryLog, clock: { nowMs: number }, seed: number): Promise<void> {
  const dice = new Prng(seed);
  const sequences = Array.from({ length: FACT_PARTITIONS }, () => 0);
  const silentUntil = new Map<string, number>();
  for (let second = 0; second <= SECONDS; second += 1) {
    for (let partition = 0; partition < FACT_PARTITIONS; partition += 1) {
      const to = { topic: 'facts', partition };
      const send = async (fact: Fact, repeats = false) => {
        clock.nowMs = second * SECOND_MS + dice.below(SECOND_MS);
        const origin = writerOrigin('edge', `${seed}-${partition}`);
        const position = (sequences[partition] = sequences[partition]! + 1);
        const headers = { [PROVENANCE_HEADER]: formatProvenance({ origin, epoch: 0, position, index: 0 }) };
        const record = { key: '', headers, value: utf8(JSON.stringify(fact)) };
        await log.append(to, [record]);
        if (repeats) await log.append(to, [record]);
      };
      for (let count = dice.below(4); count > 0; count -= 1) {
        const subject = dice.pick(SUBJECTS);
        if (dice.chance(0.01)) silentUntil.set(subject, second + dice.below(40));
        if ((silentUntil.get(subject) ?? 0) > second) continue;
        const eventAtMs = Math.max(0, second * SECOND_MS - dice.below(dice.chance(0.2) ? 30_000 : 4_000));
        await send({ subject, eventAtMs, sum: 1 + dice.below(9) }, dice.chance(0.1));
      }
      if (dice.chance(0.02)) await log.append(to, [{ key: '', headers: {}, value: utf8('{not json') }]);
      if (dice.chance(0.05)) {
        const foreign: Fact = { subject: 'foreign', eventAtMs: second * SECOND_MS, sum: 5 };
        await log.append(to, [{ key: '', headers: {}, value: utf8(JSON.stringify(foreign)) }]);
      }
      await send({ eventAtMs: second * SECOND_MS, sum: 0 });
    }
  }
}

/** What must be in `totals`, worked out from the facts alone: windows, late sums, unreadable facts. */
export async function toyOracle(log: MemoryLog) {
  const totals = new Map<string, number>();
  const late = new Map<string, number>();
  const closedMs = slotStartMs(SECONDS * SECOND_MS - GRACE_MS, WINDOW_MS);
  const seen = { duplicates: 0, unreadable: 0 };
  for (let partition = 0; partition < FACT_PARTITIONS; partition += 1) {
    const marks = new Marks();
    const lastStepMs = slotStartMs(SECONDS * SECOND_MS, SECOND_MS);
    for (const { headers, value, appendedAtMs } of await recordsOf(log, { topic: 'facts', partition })) {
      if (!marks.raise(provenanceOf(headers), appendedAtMs)) seen.duplicates += 1;
      else if (textOf(value).startsWith('{not')) seen.unreadable += 1;
      else {
        const { subject, eventAtMs, sum } = JSON.parse(textOf(value)) as Fact;
        if (subject === undefined || appendedAtMs >= lastStepMs) continue; // The last step is still open.
        const startMs = slotStartMs(eventAtMs, WINDOW_MS);
        if (appendedAtMs >= startMs + WINDOW_MS + GRACE_MS) late.set(subject, (late.get(subject) ?? 0) + sum);
        else if (startMs + WINDOW_MS <= closedMs) {
          const place = `${startMs}@${subject}`;
          totals.set(place, (totals.get(place) ?? 0) + sum);
        }
      }
    }
  }
  return { totals, late, ...seen };
}

/** The same two maps, read from the topic `totals` past the marks. */
export async function toyTotals(log: MemoryLog) {
  const totals = new Map<string, number>();
  const late = new Map<string, number>();
  const marks = new Map<string, Marks>();
  for (const { headers, value, appendedAtMs, key } of await allRecords(log, 'totals')) {
    const provenance = provenanceOf(headers)!;
    // `closed` is broadcast, so each partition has its own marks; a total lives in the partition of its key.
    if (key === '') continue;
    const seen = marks.get(key) ?? new Marks();
    marks.set(key, seen);
    if (!seen.raise(provenance, appendedAtMs)) continue;
    const body = JSON.parse(textOf(value)) as { type: string; subject: string; startMs: number; sum: number };
    if (body.type === 'late') late.set(body.subject, (late.get(body.subject) ?? 0) + body.sum);
    else totals.set(`${body.startMs}@${body.subject}`, body.sum);
  }
  return { totals, late };
}
