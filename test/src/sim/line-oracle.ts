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
