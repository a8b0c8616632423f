import { WINDOW_KINDS, type WindowKind } from '@flyball/contracts';
import {
  HOT_SUBJECTS_MAX,
  HOT_WINDOWS_MAX,
  type HotBatch,
  type HotChange,
  type HotProgress,
  type HotService,
  type HotStore,
} from '@flyball/runtime';
import { WindowHistory } from './window-history.ts';

/** Most bytes of the windows of all subjects together. */
const WINDOW_BYTES_MAX = 48 * 1024 * 1024;

/** Bounds of a {@link MemoryHotStore}. */
export interface MemoryHotOptions {
  readonly subjectsMax?: number;
  readonly windowsMax?: number;
  readonly windowBytesMax?: number;
}

interface Subject {
  /** Latest end of anything that was stored of it. */
  newestMs: number;
  lastSeenAtMs: number | null;
  assessment: { readonly endMs: number; readonly value: Uint8Array } | undefined;
}

/** A {@link HotStore} in memory. */
export class MemoryHotStore implements HotStore {
  readonly #subjectsMax: number;
  readonly #windows: WindowHistory;
  readonly #subjects = new Map<string, Subject>();
  /** Until when a subject was gone, ms: what comes late must not bring it back. */
  readonly #goneMs = new Map<string, number>();
  readonly #progress = new Map<string, HotProgress>();

  constructor(options: MemoryHotOptions = {}) {
    const { windowsMax = HOT_WINDOWS_MAX, windowBytesMax = WINDOW_BYTES_MAX } = options;
    this.#subjectsMax = options.subjectsMax ?? HOT_SUBJECTS_MAX;
    this.#windows = new WindowHistory(windowsMax, windowBytesMax);
  }

  async apply({ lane, fromOffset, offset, isFirst, isCaughtUp, changes }: HotBatch): Promise<boolean> {
    const known = this.#progress.get(lane);
    const isJoined = known !== undefined && known.offset >= fromOffset;
    if (!isJoined && !isFirst) return false;
    // A second writer that is behind takes nothing back.
    const reached = isJoined ? Math.max(known.offset, offset) : offset;
    const isWord = isFirst || reached === offset;
    this.#progress.set(lane, { offset: reached, isCaughtUp: isWord ? isCaughtUp : known!.isCaughtUp });
    for (const change of changes) this.#take(change);
    return true;
  }

  async services(): Promise<readonly HotService[]> {
    return [...this.#subjects].map(([key, subject]) => serviceOf(key, subject));
  }

  async service(key: string): Promise<HotService | undefined> {
    const subject = this.#subjects.get(key);
    return subject === undefined ? undefined : serviceOf(key, subject);
  }

  async windows(key: string, kind: WindowKind, newestMax = 0): Promise<readonly Uint8Array[]> {
    const all = this.#windows.of(placeOf(key, kind));
    return all.slice(-newestMax).map((value) => value.slice());
  }

  async progress(): Promise<ReadonlyMap<string, HotProgress>> {
    return new Map(this.#progress);
  }

  async close(): Promise<void> {}

  #take(change: HotChange): void {
    if (change.endMs <= (this.#goneMs.get(change.key) ?? -1)) return;
    if (change.type === 'gone') {
      this.#forget(change.key, change.endMs);
      return;
    }
    const subject = this.#admit(change.key);
    if (subject === undefined) return;
    const { type, key, endMs, value } = change;
    subject.newestMs = Math.max(subject.newestMs, endMs);
    if (type === 'window') {
      this.#windows.add(placeOf(key, change.kind), endMs, value);
      if (change.isHeard) subject.lastSeenAtMs = Math.max(subject.lastSeenAtMs ?? endMs, endMs);
    } else if (endMs >= (subject.assessment?.endMs ?? -1)) {
      subject.assessment = { endMs, value: value.slice() };
    }
  }

  #admit(key: string): Subject | undefined {
    const known = this.#subjects.get(key);
    if (known !== undefined || this.#subjects.size >= this.#subjectsMax) return known;
    const subject = { newestMs: -1, lastSeenAtMs: null, assessment: undefined };
    this.#subjects.set(key, subject);
    return subject;
  }

  #forget(key: string, goneMs: number): void {
    this.#goneMs.delete(key);
    this.#goneMs.set(key, goneMs);
    if (this.#goneMs.size > this.#subjectsMax) this.#goneMs.delete(this.#goneMs.keys().next().value!);
    for (const kind of WINDOW_KINDS) this.#windows.dropUntil(placeOf(key, kind), goneMs);
    const subject = this.#subjects.get(key);
    if (subject === undefined) return;
    if (subject.newestMs <= goneMs) this.#subjects.delete(key);
    if ((subject.assessment?.endMs ?? 0) <= goneMs) subject.assessment = undefined;
    if ((subject.lastSeenAtMs ?? 0) <= goneMs) subject.lastSeenAtMs = null;
  }
}

/** Where the windows of a kind of a subject are kept. */
function placeOf(key: string, kind: WindowKind): string {
  return `${kind} ${key}`;
}

function serviceOf(key: string, { assessment, lastSeenAtMs }: Subject): HotService {
  return { key, assessment: assessment?.value.slice(), lastSeenAtMs };
}
