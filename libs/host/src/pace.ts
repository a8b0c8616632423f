import { MINUTE_MS, SECOND_MS } from '@flyball/core';
import { laneName, type Log, type Progress } from '@flyball/runtime';
import type { Logger } from './logger.ts';

/** Most log time that a lane may be ahead of the slowest, ms. */
const AHEAD_MS = MINUTE_MS;
/** A lane says how far it has come each time that it has come so much further in log time, ms. */
const TELL_STEP_MS = 10 * SECOND_MS;
/** Nobody tells or asks more often, ms. */
const EVERY_MS = SECOND_MS;
/** What was learned of lanes of other processes holds so long, when nothing more can be learned, ms. */
const KNOWN_MS = 15 * SECOND_MS;
/** A lane that waits says again where it is, for whoever was told something older meanwhile, ms. */
const TELL_AGAIN_MS = 5 * SECOND_MS;

interface Own extends Progress {
  toldMs: number;
  toldAtMs: number;
}

/**
 * Keeps the lanes of a processor together, over all of its processes: whoever merges what they say holds all that the fast
 * ones are ahead, and must not hold hours of it while a slow one catches up. Lanes learn of each other from what they commit.
 * It decides when a lane reads, never what comes of it.
 *
 * A lane that has nothing left to read, or whose partition does not answer, holds nobody up: it may be down, and its backlog,
 * if it has one, comes later. Nor do those of other processes while nothing can be learned of them.
 */
export class Pace {
  readonly #log: Log;
  readonly #processor: string;
  readonly #topic: string;
  readonly #logger: Logger;
  readonly #monotonicMs: () => number;
  readonly #own = new Map<number, Own>();
  #committed: ReadonlyMap<number, Progress> = new Map();
  /** Partitions that were behind when last asked about, and do not count. */
  #excused: ReadonlySet<number> = new Set();
  #askedAtMs = -Infinity;
  #learnedAtMs = -Infinity;
  #asking: Promise<void> | undefined;

  /** @param monotonicMs - a clock that only goes forward, ms. Given by tests only. */
  constructor(
    { log, logger }: { readonly log: Log; readonly logger: Logger },
    { processor, topic }: { readonly processor: string; readonly topic: string },
    monotonicMs = () => performance.now(),
  ) {
    this.#log = log;
    this.#logger = logger;
    this.#processor = processor;
    this.#topic = topic;
    this.#monotonicMs = monotonicMs;
  }

  /** Takes note of how far a lane of this process has come, and tells the others now and then. */
  came(partition: number, progress: Progress): void {
    const { reachedMs } = progress;
    if (reachedMs === undefined) return;
    const nowMs = this.#monotonicMs();
    const { toldMs = -Infinity, toldAtMs = -Infinity } = this.#own.get(partition) ?? {};
    this.#own.set(partition, { ...progress, toldMs, toldAtMs });
    if (reachedMs - toldMs >= TELL_STEP_MS && nowMs - toldAtMs >= EVERY_MS) this.#tell(partition);
  }

  /** Forgets a lane that this process does not run any more. */
  left(partition: number): void {
    this.#own.delete(partition);
  }

  /** Whether a lane of this process should wait with its next read; ask again a little later. */
  isAhead(partition: number): boolean {
    this.#askIfDue();
    const own = this.#own.get(partition);
    const isAhead =
      own !== undefined && this.#behind(own.reachedMs! - AHEAD_MS).some((each) => !this.#excused.has(each));
    if (isAhead) this.#tellAgain(partition, own);
    return isAhead;
  }

  /**
   * Who waits does not come anywhere, and would say nothing any more. Two lanes that know each other as they were a minute ago would
   * then wait for each other for ever: what was said last may be old, may have been lost, or may be of whoever had the lane before.
   */
  #tellAgain(partition: number, { reachedMs, toldMs, toldAtMs }: Own): void {
    const everyMs = reachedMs === toldMs ? TELL_AGAIN_MS : EVERY_MS;
    if (this.#monotonicMs() - toldAtMs >= everyMs) this.#tell(partition);
  }

  #tell(partition: number): void {
    const own = this.#own.get(partition)!;
    const { offset, reachedMs } = own;
    [own.toldMs, own.toldAtMs] = [reachedMs!, this.#monotonicMs()];
    const lane = laneName(this.#processor, this.#topic, partition);
    this.#log.commit(lane, { topic: this.#topic, partition }, offset, reachedMs).catch((error: unknown) => {
      this.#logger.debug({ error, lane }, 'progress was not committed; the others may wait for this lane');
    });
  }

  /** Partitions whose lanes have not come to a log time. */
  #behind(atMs: number): readonly number[] {
    const all = new Set([...this.#committed.keys(), ...this.#own.keys()]);
    return [...all].filter((partition) => this.#progressOf(partition).reachedMs! < atMs);
  }

  /** What this process knows best: a lane may run here, or elsewhere, or have moved. */
  #progressOf(partition: number): Progress {
    const [own, committed] = [this.#own.get(partition), this.#committed.get(partition)];
    if (own === undefined) return committed!;
    return (committed?.reachedMs ?? -Infinity) > own.reachedMs! ? committed! : own;
  }

  #askIfDue(): void {
    const nowMs = this.#monotonicMs();
    if (this.#asking !== undefined || nowMs - this.#askedAtMs < EVERY_MS) return;
    this.#askedAtMs = nowMs;
    // Nobody waits for the answer: to keep together is not worth a stop.
    this.#asking = this.#ask().finally(() => (this.#asking = undefined));
  }

  async #ask(): Promise<void> {
    await this.#learn();
    const fastestMs = Math.max(...[...this.#own.values()].map(({ reachedMs }) => reachedMs!));
    const behind = this.#behind(fastestMs - AHEAD_MS);
    const isExcused = await Promise.all(behind.map(async (partition) => !(await this.#hasMore(partition))));
    this.#excused = new Set(behind.filter((_, index) => isExcused[index]));
  }

  /** Without an answer what is known grows old, and everybody would come to be ahead of it. */
  async #learn(): Promise<void> {
    try {
      const committed = await this.#log.progress(this.#processor, this.#topic);
      this.#committed = new Map([...committed].filter(([, { reachedMs }]) => reachedMs !== undefined));
      this.#learnedAtMs = this.#monotonicMs();
    } catch (error) {
      this.#logger.debug({ error }, 'progress of the other lanes is not known');
      if (this.#monotonicMs() - this.#learnedAtMs >= KNOWN_MS) this.#committed = new Map();
    }
  }

  async #hasMore(partition: number): Promise<boolean> {
    const { offset } = this.#progressOf(partition);
    return this.#log.range({ topic: this.#topic, partition }).then(
      ({ endOffset }) => endOffset > offset,
      () => false,
    );
  }
}
