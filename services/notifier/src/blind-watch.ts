import { HOUR_MS, rfc3339 } from '@flyball/core';
import type { Log, StoredRecord } from '@flyball/runtime';
import { z } from 'zod';
import { INCIDENTS } from './feed.ts';
import { follow, jsonOf } from './follow.ts';
import { inertText } from './inert-text.ts';

/** An incident that ended in blindness says nothing of when it was over: after so long it counts no more. */
const ENDED_BLIND_MS = HOUR_MS;

/** What the watch needs of an incident: every one that there ever was is read at a start. */
const Sight = z.object({
  environment: z.string(),
  blindSinceMs: z.number().nullable().default(null),
  closedAtMs: z.number().nullable(),
});
type Sight = z.infer<typeof Sight>;

/** Which environments are blind, as the newest revision of their incidents says. */
export class BlindWatch {
  readonly #log: Log;
  readonly #newest = new Map<string, Sight>();
  readonly #stop = new AbortController();
  #loops: readonly Promise<void>[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** Starts to watch. @throws {UnavailableError} `TOPIC_UNKNOWN`, `LOG_UNAVAILABLE` */
  async start(): Promise<void> {
    const { partitions } = await this.#log.describe(INCIDENTS);
    const take = (record: StoredRecord) => this.#hear(record);
    const ranges = await Promise.all(
      Array.from({ length: partitions }, async (_, partition) => {
        const at = { topic: INCIDENTS, partition };
        return { at, fromOffset: (await this.#log.range(at)).startOffset };
      }),
    );
    this.#loops = ranges.map((range) => follow(this.#log, { ...range, take, signal: this.#stop.signal }));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  /** Why we are blind, a sentence for each environment. */
  reasons(nowMs: number): readonly string[] {
    const blind = [...this.#newest.values()].filter(
      ({ blindSinceMs, closedAtMs }) =>
        blindSinceMs !== null && (closedAtMs === null || closedAtMs > nowMs - ENDED_BLIND_MS),
    );
    return blind.map(
      ({ environment, blindSinceMs }) =>
        `most services of ${inertText(environment, 100)} fell silent together at ${rfc3339(blindSinceMs!)}`,
    );
  }

  #hear(record: StoredRecord): void {
    const { success, data } = Sight.safeParse(jsonOf(record));
    if (success) this.#newest.set(data.environment, data);
  }
}
