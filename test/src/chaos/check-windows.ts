import { type Window, windowsCodec } from '@flyball/contracts';
import type { Findings } from './findings.ts';
import type { PartitionRecords } from './topic-records.ts';
import type { Expected, ExpectedWindow } from './window-oracle.ts';

/** Every window of every lane, once; and the instant up to which all lanes have closed. */
export interface EmittedWindows {
  readonly windows: readonly Window[];
  /** Windows that were emitted a second time, with another provenance. */
  readonly repeated: readonly string[];
  readonly closedMs: number;
  /** Records that were appended twice and dropped by their marks. */
  readonly duplicates: number;
}

/** Reads what `global` has said. */
export function emittedWindows(partitions: readonly PartitionRecords[]): EmittedWindows {
  const windows = new Map<string, Window>();
  const repeated: string[] = [];
  const closed = new Map<string, number>();
  for (const { counted } of partitions) {
    for (const record of counted) {
      const message = windowsCodec.decode(record);
      if (!('kind' in message) || message.kind !== 'traces') continue;
      if (message.type === 'closed') closed.set(message.from, Math.max(message.endMs, closed.get(message.from) ?? 0));
      if (message.type !== 'window') continue;
      const place = placeOf(message);
      if (windows.has(place)) repeated.push(place);
      windows.set(place, message);
    }
  }
  const duplicates = partitions.reduce((sum, { stored, counted }) => sum + stored.length - counted.length, 0);
  return { windows: [...windows.values()], repeated, closedMs: Math.min(...closed.values()), duplicates };
}

/**
 * Aggregates are exact: every window equals the oracle, whatever its coverage, and window + late + early = stored.
 *
 * @param isPartitionDown - whether windows may have gone on without a raw partition. Then one that is not covered may hold less:
 * what that partition still had comes after it was closed, and counts as late.
 */
export function checkWindows(
  expected: Expected,
  emitted: EmittedWindows,
  findings: Findings,
  isPartitionDown = false,
): void {
  const { windows, repeated, closedMs, duplicates } = emitted;
  const byPlace = new Map(windows.map((window) => [placeOf(window), window]));
  const wrong: string[] = [];
  let lacking = 0;
  for (const [place, want] of expected.windows) {
    const found = byPlace.get(place);
    if (found === undefined) wrong.push(`${place} is not there`);
    else if (isPartitionDown && found.coverage < 1 && found.spans <= want.spans) lacking += want.spans - found.spans;
    else if (!isEqual(found, want)) wrong.push(`${place} holds ${found.spans} spans, wanted ${want.spans}`);
  }
  for (const [place, { spans }] of byPlace) {
    if (spans > 0 && !expected.windows.has(place)) wrong.push(`${place} holds ${spans} spans, wanted none`);
  }
  findings.none(wrong, 'windows differ from the oracle');
  findings.none(repeated, 'windows were emitted twice');
  const unbalanced: string[] = [];
  for (const [name, { stored, lateAtMs, earlyAtMs }] of expected.totals) {
    const own = windows.filter(({ subject }) => `${subject.environment} ${subject.service}` === name);
    const sum = (pick: (window: Window) => number) => own.reduce((total, window) => total + pick(window), 0);
    // A broker whose clock was ahead has put some into windows that are not closed yet.
    const untilMs = Math.max(...own.map(({ endMs }) => endMs));
    const [late, early] = [lateAtMs, earlyAtMs].map((all) => all.filter((atMs) => atMs < untilMs).length) as [
      number,
      number,
    ];
    const told = stored - (lateAtMs.length - late) - (earlyAtMs.length - early);
    const [spans, lateSpans, earlySpans] = [sum((w) => w.spans), sum((w) => w.lateSpans), sum((w) => w.earlySpans)];
    lacking -= lateSpans - late;
    const isExact = lateSpans === late || (isPartitionDown && lateSpans > late);
    const isBalanced = spans + lateSpans + earlySpans === told && isExact && earlySpans === early;
    if (!isBalanced) unbalanced.push(`${name}: ${spans} + ${lateSpans} late + ${earlySpans} early, stored ${told}`);
  }
  findings.expect(lacking === 0, `windows lack ${lacking} spans more than came after them`);
  findings.none(unbalanced, 'services where window + late + early is not what was stored');
  const totals = [...expected.totals.values()];
  const stored = totals.reduce((sum, each) => sum + each.stored, 0);
  findings.note('spans stored', stored);
  findings.note(
    'late',
    totals.reduce((sum, { lateAtMs }) => sum + lateAtMs.length, 0),
  );
  findings.note('windows', windows.length);
  findings.note('not covered', windows.filter(({ coverage }) => coverage < 1).length);
  findings.note('window duplicates', duplicates);
  findings.expect(Number.isFinite(closedMs), 'no window was closed');
}

function isEqual(found: Window, want: ExpectedWindow): boolean {
  const service = found.series.find(({ view }) => view === 'service');
  if (found.spans !== want.spans) return false;
  if (service === undefined) return want.count === 0;
  const { count, errors, sumUs, minUs, maxUs, sketch } = service;
  const isSame = count === want.count && errors === want.errors && sumUs === want.sumUs;
  const isSameRange = want.count === 0 || (minUs === want.minUs && maxUs === want.maxUs);
  return isSame && isSameRange && JSON.stringify(sketch) === JSON.stringify(want.sketch.toData());
}

function placeOf({ subject, startMs }: Window): string {
  return `${subject.environment} ${subject.service} ${startMs}`;
}
