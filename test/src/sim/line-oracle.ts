import type { Assessment, Signal, Window } from '@flyball/contracts';
import type { MemoryLog } from '@flyball/memory';
import { recordsOf } from '@flyball/testing';
import { checkWindows, emittedWindows } from '../chaos/check-windows.ts';
import { Findings } from '../chaos/findings.ts';
import { type PartitionRecords, pastMarks } from '../chaos/topic-records.ts';
import { expectedWindows } from '../chaos/window-oracle.ts';
import { LANES, SIM_CONFIG } from './line-world.ts';

/** In what the windows of a run differ from what its raw records hold, by the oracle of the chaos runs. Every window must have closed. */
export async function windowBreaches(log: MemoryLog): Promise<readonly string[]> {
  const read = async (topic: string): Promise<PartitionRecords[]> => {
    const lists: PartitionRecords[] = [];
    for (let partition = 0; partition < LANES; partition += 1) {
      const stored = await recordsOf(log, { topic, partition });
      lists.push({ partition, stored, counted: pastMarks(stored) });
    }
    return lists;
  };
  const { aggregator } = SIM_CONFIG;
  const findings = new Findings();
  checkWindows(
    expectedWindows(await read('otlp_spans'), aggregator),
    emittedWindows(await read('flyball.windows')),
    findings,
  );
  return findings.failures;
}

/**
 * In what the standings of checkout differ from its windows, counted anew: the share that holds for a window is the one that was
 * said last before its end, failures are of every window since the first of them, and nobody else stands for anything.
 */
export function promiseBreaches(
  judged: readonly (Assessment | Signal)[],
  windows: readonly Window[],
  shares: readonly [first: number, then: number],
): readonly string[] {
  const breaches: string[] = [];
  const served = windows.filter(({ kind, subject }) => kind === 'traces' && subject.service === 'checkout');
  const heard = new Set<number>();
  for (const message of judged) {
    if (message.type !== 'assessment') continue;
    const { subject, endMs, standings = [] } = message;
    if (subject.service !== 'checkout') {
      if (standings.length > 0) breaches.push(`${subject.service} stands for what it never promised`);
      continue;
    }
    const [failures, slow] = standings;
    if (failures === undefined || slow === undefined) breaches.push(`nothing is said of what holds at ${endMs}`);
    else {
      heard.add(failures.objective.objectiveRatio);
      const of = served.filter((window) => window.endMs <= endMs).flatMap(({ series }) => series);
      const all = of.filter(({ view }) => view === 'service');
      const requests = all.reduce((sum, { count }) => sum + count, 0);
      const errors = all.reduce((sum, each) => sum + each.errors, 0);
      const text = `${failures.bad} of ${failures.requests} at ${endMs}, not ${errors} of ${requests}`;
      if (failures.requests !== requests || failures.bad !== errors) breaches.push(text);
      if (slow.requests !== requests) breaches.push(`slow: ${slow.requests} at ${endMs}, not ${requests}`);
    }
  }
  for (const share of shares) if (!heard.has(share)) breaches.push(`${share} never held`);
  return breaches;
}
