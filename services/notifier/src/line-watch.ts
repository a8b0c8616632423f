import { SignalsClosed } from '@flyball/contracts';
import { MINUTE_MS, rfc3339, textOf } from '@flyball/core';
import type { Log, StoredRecord } from '@flyball/runtime';
import { follow, jsonOf } from './follow.ts';

const SIGNALS = 'flyball.signals';
/** Saved, and so on record, at least so often; a minute more is a store that is slow. */
const PLANNER_SAVES_MS = 5 * MINUTE_MS;
/** How our own messages of this kind begin; all others of the topic are left unread. */
const CLOSED = '{"type":"closed"';

/** What one detector lane said last. */
interface Passed {
  /** End of the newest window that it has judged, ms. */
  readonly endMs: number;
  /** End of the newest one that was seen whole, ms. */
  readonly wholeMs: number;
}

/** Watches whether the line moves on and sees everything: what detectors say to all lanes, and how far the planner has come. */
export class LineWatch {
  readonly #log: Log;
  readonly #passed = new Map<string, Passed>();
  readonly #stop = new AbortController();
  #startedAtMs = 0;
  #lanes = 0;
  #done: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Starts to watch. @throws {UnavailableError} `TOPIC_UNKNOWN`, `LOG_UNAVAILABLE` */
  async start(nowMs: number): Promise<void> {
    this.#startedAtMs = nowMs;
    this.#lanes = (await this.#log.describe('flyball.windows')).partitions;
    // Every detector lane tells every lane of the topic: one of them is enough.
    const at = { topic: SIGNALS, partition: 0 };
    const { endOffset: fromOffset } = await this.#log.range(at);
    const take = (record: StoredRecord) => this.#hear(record);
    this.#done = follow(this.#log, { at, fromOffset, take, signal: this.#stop.signal });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /**
   * Why the line cannot be relied on, a sentence each.
   *
   * @returns `undefined` while too little time has passed to tell.
   * @throws {UnavailableError} from the log.
   */
  async reasons(nowMs: number, blindAfterMs: number): Promise<readonly string[] | undefined> {
    const sinceMs = nowMs - blindAfterMs;
    const isNew = this.#startedAtMs > sinceMs;
    if (this.#passed.size < this.#lanes) {
      const silent = this.#lanes - this.#passed.size;
      return isNew
        ? undefined
        : [`${silent} of ${this.#lanes} detector lanes have said nothing for ${spanOf(blindAfterMs)}`];
    }
    const endMs = Math.min(...[...this.#passed.values()].map((passed) => passed.endMs));
    const wholeMs = Math.min(...[...this.#passed.values()].map((passed) => passed.wholeMs));
    if (endMs < sinceMs) return [`no window was closed since ${rfc3339(endMs)}`];
    if (wholeMs < sinceMs) {
      if (isNew) return undefined;
      return [wholeMs === 0 ? 'no window was seen whole' : `no window was seen whole since ${rfc3339(wholeMs)}`];
    }
    return this.#plannerReasons(sinceMs - PLANNER_SAVES_MS);
  }

  async #plannerReasons(sinceMs: number): Promise<readonly string[]> {
    const progress = [...(await this.#log.progress('planner', SIGNALS)).values()];
    const late = progress.filter(({ reachedMs }) => reachedMs !== undefined && reachedMs < sinceMs);
    return late.length === 0 ? [] : [`${late.length} planner lanes have not come beyond ${rfc3339(sinceMs)}`];
  }

  #hear(record: StoredRecord): void {
    const { value } = record;
    if (textOf(value.subarray(0, CLOSED.length)) !== CLOSED) return;
    const { success, data } = SignalsClosed.safeParse(jsonOf(record));
    if (!success) return;
    const { from, endMs, coverage } = data;
    const before = this.#passed.get(from) ?? { endMs: 0, wholeMs: 0 };
    const wholeMs = coverage === 1 ? Math.max(before.wholeMs, endMs) : before.wholeMs;
    this.#passed.set(from, { endMs: Math.max(before.endMs, endMs), wholeMs });
  }
}

function spanOf(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
