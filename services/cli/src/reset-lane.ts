import { Auditor } from '@flyball/auditor';
import { auditCodec } from '@flyball/contracts';
import { isFresh, type LanePorts, type LaneReset, type Log, Marks, type Partition, resetLane } from '@flyball/runtime';

const READ_BYTES_MAX = 1_000_000;

/**
 * Starts a new life of a lane, as {@link resetLane}; one of the auditor goes on behind the chains that are on record. Begun anew they
 * would be dropped as known, up to the length of the old ones, and not hold beyond it.
 *
 * @throws {UnavailableError} from the ports. Nothing was reset; do it again.
 */
export async function startLaneAnew(ports: LanePorts, processor: string, at: Partition): Promise<LaneReset> {
  if (processor !== 'auditor') return resetLane(ports, processor, at);
  return resetLane(ports, processor, at, await chainsOnRecord(ports.log, at.partition));
}

/** State of an auditor that has said all that there is: its lane chains tenants whose chains are in the same lane. */
async function chainsOnRecord(log: Log, partition: number): Promise<Uint8Array> {
  const auditor = new Auditor();
  const marks = new Marks();
  const from = { topic: 'flyball.audit', partition };
  let { startOffset: offset } = await log.range(from);
  for (;;) {
    const records = await log.read(from, offset, READ_BYTES_MAX);
    for (const record of records) {
      offset = record.offset + 1;
      if (isFresh(record, marks)) auditor.goOnBehind(auditCodec.decode(record));
    }
    if (records.length === 0) return auditor.snapshot();
  }
}
