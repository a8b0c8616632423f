import { DurationSketch } from '@flyball/stats';
import { type RawChunk, rawChunks } from './raw-spans.ts';
import type { PartitionRecords } from './topic-records.ts';

/** Sizes of windows, ms. */
export interface WindowSizes {
  readonly windowMs: number;
  readonly graceMs: number;
  readonly earlyMs: number;
}

/** What a window must hold, counted from the raw records alone. */
export interface ExpectedWindow {
  readonly environment: string;
  readonly service: string;
  readonly startMs: number;
  spans: number;
  count: number;
  errors: number;
  sumUs: number;
  minUs: number;
  maxUs: number;
  readonly sketch: DurationSketch;
}

/** What came of a service, over all windows. */
interface ServiceTotals {
  stored: number;
  /** Of each late span, the start of the window in log time in which it came: that one tells of it. */
  readonly lateAtMs: number[];
  /** The same of each early one. */
  readonly earlyAtMs: number[];
}

/** All that follows from the raw records. */
export interface Expected {
  /** By `environment service start`. */
  readonly windows: ReadonlyMap<string, ExpectedWindow>;
  /** By `environment service`. */
  readonly totals: ReadonlyMap<string, ServiceTotals>;
  /** Chunks in the order of the log, with those of the sender. */
  readonly chunks: readonly RawChunk[];
  /** Records that are no request: each must be a dead letter. */
  readonly unreadable: number;
}

/** Counts by definition, sharing nothing with what is tested but the sketch: late is what came a grace after its window. */
export function expectedWindows(raw: readonly PartitionRecords[], sizes: WindowSizes): Expected {
  const windows = new Map<string, ExpectedWindow>();
  const totals = new Map<string, ServiceTotals>();
  const chunks: RawChunk[] = [];
  let unreadable = 0;
  for (const { counted } of raw) {
    let atMs = -Infinity;
    for (const { appendedAtMs, headers, value } of counted) {
      atMs = Math.max(atMs, appendedAtMs);
      const found = isOfOurs(headers) ? rawChunks(value) : undefined;
      if (found === undefined) unreadable += 1;
      for (const chunk of found ?? []) {
        chunks.push(chunk);
        count(chunk, atMs);
      }
    }
  }
  return { windows, totals, chunks, unreadable };

  function count({ spans }: RawChunk, atMs: number): void {
    for (const { environment, service, endMs, durationUs, isError, isRequest } of spans) {
      const name = `${environment} ${service}`;
      const total = totals.get(name) ?? { stored: 0, lateAtMs: [], earlyAtMs: [] };
      totals.set(name, total);
      total.stored += 1;
      const startMs = endMs - (endMs % sizes.windowMs);
      const toldMs = atMs - (atMs % sizes.windowMs);
      if (endMs > atMs + sizes.earlyMs) total.earlyAtMs.push(toldMs);
      else if (atMs >= startMs + sizes.windowMs + sizes.graceMs) total.lateAtMs.push(toldMs);
      else {
        const window = windows.get(`${name} ${startMs}`) ?? emptyWindow(environment, service, startMs);
        windows.set(`${name} ${startMs}`, window);
        window.spans += 1;
        if (isRequest) addRequest(window, durationUs, isError);
      }
    }
  }
}

/** Whether headers that look like ours are. */
function isOfOurs(headers: Readonly<Record<string, string>>): boolean {
  const { 'flyball-provenance': provenance = '0.0.0@foreign', 'flyball-tick': tick = '{}' } = headers;
  return /^\d+\.\d+\.\d+@./.test(provenance) && tick.endsWith('}');
}

function emptyWindow(environment: string, service: string, startMs: number): ExpectedWindow {
  const sums = { spans: 0, count: 0, errors: 0, sumUs: 0, minUs: Infinity, maxUs: 0 };
  return { environment, service, startMs, ...sums, sketch: new DurationSketch() };
}

function addRequest(window: ExpectedWindow, durationUs: number, isError: boolean): void {
  window.count += 1;
  window.errors += isError ? 1 : 0;
  window.sumUs += durationUs;
  window.minUs = Math.min(window.minUs, durationUs);
  window.maxUs = Math.max(window.maxUs, durationUs);
  window.sketch.add(durationUs);
}
