import { type Window, type WindowKind, windowsCodec } from '@flyball/contracts';
import type { PartitionRecords } from './topic-records.ts';
import type { Counted, Held } from './side-oracle.ts';

/** Windows of one kind as the line has emitted them, in the words of the oracle. */
export interface FoundWindows extends Counted {
  /** Windows that were emitted a second time, with another provenance. */
  readonly repeated: readonly string[];
  /** Every lane has closed all windows of this kind up to here, ms. */
  readonly closedMs: number;
}

/** Reads the windows of one kind past the marks. */
export function foundWindows(partitions: readonly PartitionRecords[], kind: WindowKind): FoundWindows {
  const windows = new Map<string, Held>();
  const late = new Map<string, number>();
  const repeated: string[] = [];
  const closed = new Map<string, number>();
  for (const message of partitions.flatMap(({ counted }) => counted.map((record) => windowsCodec.decode(record)))) {
    if (!('kind' in message) || message.kind !== kind) continue;
    if (message.type === 'closed') closed.set(message.from, Math.max(message.endMs, closed.get(message.from) ?? 0));
    if (message.type !== 'window') continue;
    const subject = `${message.subject.environment} ${message.subject.service}`;
    const place = `${subject} ${message.startMs}`;
    if (message.lateSpans > 0) late.set(subject, (late.get(subject) ?? 0) + message.lateSpans);
    const held = heldBy(message);
    if (held.items === 0 && Object.keys(held.series).length === 0) continue;
    if (windows.has(place)) repeated.push(place);
    windows.set(place, held);
  }
  return { windows, late, repeated, closedMs: Math.min(...closed.values()) };
}

function heldBy({ kind, spans, series, metrics }: Window): Held {
  const held: Held = { items: spans, series: {} };
  for (const { metric, points, value } of metrics) held.series[metric] = `${points} points, ${value}`;
  for (const { view, name, kind: of, count, errors, sumUs } of series) {
    if (kind === 'logs') held.series[`${view} ${name}`] = String(count);
    else held.series[`${view} ${name} ${of}`] = `${count}, ${errors} bad, ${sumUs / 1_000} ms`;
  }
  return held;
}
