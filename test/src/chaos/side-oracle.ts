import type { PartitionRecords } from './topic-records.ts';
import {
  type RawLog,
  type RawPoint,
  type RawResource,
  type RawSpan,
  readLogs,
  readPoints,
  readSpans,
} from './raw-items.ts';

/** Sizes of windows, ms. */
export interface Sizes {
  readonly windowMs: number;
  readonly graceMs: number;
}

/** What a window must hold: how many items, and what is known of each series or stream, as text. */
export interface Held {
  items: number;
  readonly series: Record<string, string>;
}

/** What follows from the raw records of one kind. Windows by `environment service start`, late items by `environment service`. */
export interface Counted {
  readonly windows: ReadonlyMap<string, Held>;
  readonly late: ReadonlyMap<string, number>;
}

interface Placed<Item> {
  readonly subject: string;
  readonly startMs: number;
  readonly item: Item;
}

/** Items that came in time with the windows that they belong to, and those that came late. An item is late a grace after its window. */
function placed<Item extends { readonly timeMs: number }>(
  raw: readonly PartitionRecords[],
  read: (value: Uint8Array) => readonly RawResource<Item>[],
  { windowMs, graceMs }: Sizes,
): { readonly inTime: readonly Placed<Item>[]; readonly late: ReadonlyMap<string, number> } {
  const inTime: Placed<Item>[] = [];
  const late = new Map<string, number>();
  const place = (subject: string, item: Item, atMs: number) => {
    const startMs = item.timeMs - (item.timeMs % windowMs);
    if (atMs < startMs + windowMs + graceMs) inTime.push({ subject, startMs, item });
    else late.set(subject, (late.get(subject) ?? 0) + 1);
  };
  for (const { counted } of raw) {
    let atMs = -Infinity;
    for (const { appendedAtMs, value } of counted) {
      atMs = Math.max(atMs, appendedAtMs);
      for (const { environment, service, items } of read(value)) {
        for (const item of items) place(`${environment} ${service}`, item, atMs);
      }
    }
  }
  return { inTime, late };
}

function windowsOf(): { readonly windows: Map<string, Held>; readonly at: (subject: string, startMs: number) => Held } {
  const windows = new Map<string, Held>();
  const at = (subject: string, startMs: number) => {
    const place = `${subject} ${startMs}`;
    const held = windows.get(place) ?? { items: 0, series: {} };
    windows.set(place, held);
    return held;
  };
  return { windows, at };
}

/** Levels are the mean of their points, totals the increase per second since the newest point of any window before. */
export function countedMetrics(raw: readonly PartitionRecords[], sizes: Sizes): Counted {
  const { inTime, late } = placed<RawPoint>(raw, readPoints, sizes);
  const { windows, at } = windowsOf();
  const streams = Map.groupBy(inTime, ({ subject, item: { metric } }) => `${subject} ${metric}`);
  for (const points of streams.values()) {
    let before: RawPoint | undefined;
    const byStart = Map.groupBy(points, ({ startMs }) => startMs);
    for (const [startMs, own] of [...byStart].sort(([a], [b]) => a - b)) {
      const { subject, item: first } = own[0]!;
      const held = at(subject, startMs);
      held.items += own.length;
      const items = own.map(({ item }) => item).sort((a, b) => a.timeMs - b.timeMs);
      const last = items.at(-1)!;
      const since = before ?? items[0]!;
      const overMs = last.timeMs - since.timeMs;
      const value = first.isTotal
        ? ((last.value - since.value) * 1_000) / overMs
        : items.reduce((sum, each) => sum + each.value, 0) / items.length;
      // The first of all totals tells of no increase.
      if (!first.isTotal || overMs > 0) held.series[first.metric] = `${own.length} points, ${value}`;
      before = last;
    }
  }
  return { windows, late };
}

/** Records by severity, and by their text without its numbers. */
export function countedLogs(raw: readonly PartitionRecords[], sizes: Sizes): Counted {
  const { inTime, late } = placed<RawLog>(raw, readLogs, sizes);
  const { windows, at } = windowsOf();
  for (const { subject, startMs, item } of inTime) {
    const held = at(subject, startMs);
    held.items += 1;
    const severity = item.severity === 9 ? 'info' : 'warn';
    const template = `${severity} ${item.text.replace(/\d+/, '<*>')}`;
    for (const name of [`severity ${severity}`, `template ${template}`]) {
      held.series[name] = String(Number(held.series[name] ?? 0) + 1);
    }
  }
  return { windows, late };
}

/** Calls and gaps to whoever was called, in the window of the caller's span; and the own work of every other span. */
export function countedEdges(raw: readonly PartitionRecords[], sizes: Sizes): Counted {
  const { inTime } = placed<RawSpan>(raw, readSpans, sizes);
  const { windows, at } = windowsOf();
  const children = Map.groupBy(inTime, ({ item: { traceId, parentSpanId } }) => `${traceId} ${parentSpanId}`);
  const sums = new Map<Held, Map<string, { count: number; errors: number; sumMs: number }>>();
  const add = (held: Held, name: string, sumMs: number, isError: boolean) => {
    const own = sums.get(held) ?? new Map<string, { count: number; errors: number; sumMs: number }>();
    sums.set(held, own);
    const { count, errors, sumMs: before } = own.get(name) ?? { count: 0, errors: 0, sumMs: 0 };
    own.set(name, { count: count + 1, errors: errors + (isError ? 1 : 0), sumMs: before + sumMs });
  };
  for (const { subject, startMs, item } of inTime) {
    const own = children.get(`${item.traceId} ${item.spanId}`) ?? [];
    const tookMs = item.timeMs - item.startMs;
    const [callee] = own.filter((child) => child.subject !== subject);
    if (callee === undefined) {
      const held = at(subject, startMs);
      held.items += 1;
      const childMs = own.reduce((sum, { item: child }) => sum + child.timeMs - child.startMs, 0);
      const isOwn = item.isError && !own.some((child) => child.item.isError);
      add(held, `self ${item.name} ${item.kind}`, tookMs - childMs, isOwn);
    } else {
      const held = at(callee.subject, startMs);
      const caller = subject.split(' ')[1]!;
      add(held, `caller ${caller} 0`, tookMs, callee.item.isError);
      add(held, `gap ${caller} 0`, tookMs - (callee.item.timeMs - callee.item.startMs), false);
    }
  }
  for (const [held, own] of sums) {
    for (const [name, { count, errors, sumMs }] of own) held.series[name] = `${count}, ${errors} bad, ${sumMs} ms`;
  }
  return { windows, late: new Map() };
}
