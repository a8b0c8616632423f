import { controlCodec, scopeKey, type Scope } from '@flyball/contracts';
import { laneOf, textOf } from '@flyball/core';
import { AT_HEADER, fresh, type Log, Marks, type Partition, type StoredRecord } from '@flyball/runtime';

const READ_BYTES = 1_000_000;

/** A range of the planner's inbox, as the log still holds it. */
export interface InboxRange {
  /** Append times that are asked for, ms: `[fromMs, toMs)`. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Since when the log holds records, ms; later than `fromMs` where some were trimmed. */
  readonly heldSinceMs: number;
}

/** Words that say how things stand, whatever happens later. Changes and answers belong to their moment. */
const STANDING = ['pause', 'resume', 'policy', 'binding', 'topology', 'silence', 'unsilence', 'freeze', 'unfreeze'];

/**
 * What the planner was told of an environment in a range of time, as JSON lines: first the {@link InboxRange}, then the words that
 * stood when it began, then its inbox in order; each `{"atMs","offset","message"}`, `offset` -1 for a word from before.
 *
 * @throws {UnavailableError} `LOG_UNAVAILABLE`
 */
export async function* inboxLines(
  log: Log,
  scope: Scope,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): AsyncGenerator<string> {
  const { partitions } = await log.describe('flyball.signals');
  const lane = { topic: 'flyball.signals', partition: laneOf(scopeKey(scope), partitions) };
  const { startOffset, endOffset } = await log.range(lane);
  const [first] = startOffset < endOffset ? await log.read(lane, startOffset, 1) : [];
  const heldSinceMs = first?.appendedAtMs ?? Infinity;
  yield `${JSON.stringify({ fromMs, toMs, heldSinceMs: Math.min(heldSinceMs, toMs) })}\n`;
  for await (const record of wordsBefore(log, fromMs)) {
    const atMs = record.appendedAtMs;
    const fact = controlCodec.decode(record);
    if (fact.tenant !== scope.tenant || !STANDING.includes(fact.type)) continue;
    yield `${JSON.stringify({ atMs, offset: -1, message: { type: 'relayed', atMs, fact } })}\n`;
  }
  const offset = await offsetAt(log, lane, { startOffset, endOffset }, fromMs);
  for await (const record of recordsFrom(log, lane, offset, endOffset)) {
    if (record.appendedAtMs >= toMs) return;
    const text = textOf(record.value);
    if (!isOf(scope, text)) continue;
    const atMs = Number(record.headers[AT_HEADER] ?? record.appendedAtMs);
    yield `{"atMs":${atMs},"offset":${record.offset},"message":${text}}\n`;
  }
}

/** Whether a message of the lane concerns this environment: time and words concern all. */
function isOf({ tenant, environment }: Scope, text: string): boolean {
  const { subject } = JSON.parse(text) as { subject?: { tenant: string; environment: string } };
  return subject === undefined || (subject.tenant === tenant && subject.environment === environment);
}

async function* wordsBefore(log: Log, beforeMs: number): AsyncGenerator<StoredRecord> {
  const { partitions } = await log.describe('flyball.control');
  for (let partition = 0; partition < partitions; partition += 1) {
    const at = { topic: 'flyball.control', partition };
    const { startOffset, endOffset } = await log.range(at);
    for await (const record of recordsFrom(log, at, startOffset, endOffset)) {
      if (record.appendedAtMs >= beforeMs) break;
      yield record;
    }
  }
}

/** Records `[fromOffset, endOffset)`, without what was stored twice. */
async function* recordsFrom(
  log: Log,
  at: Partition,
  fromOffset: number,
  endOffset: number,
): AsyncGenerator<StoredRecord> {
  const marks = new Marks();
  for (let offset = fromOffset; offset < endOffset;) {
    const records = await log.read(at, offset, READ_BYTES);
    const last = records.at(-1);
    if (last === undefined) return;
    offset = last.offset + 1;
    yield* fresh(records, marks);
  }
}

/** The first offset whose record was appended at an instant or after it: append times never fall. */
async function offsetAt(
  log: Log,
  at: Partition,
  { startOffset, endOffset }: { readonly startOffset: number; readonly endOffset: number },
  fromMs: number,
): Promise<number> {
  let [low, high] = [startOffset, endOffset];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [record] = await log.read(at, middle, 1);
    if (record !== undefined && record.appendedAtMs < fromMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
