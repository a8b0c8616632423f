/** A service with so much capacity and a queue before it, and clients that give up and try again. */
export interface StormOptions {
  /** Requests that the service can serve, per second. */
  readonly capacityPerSecond: number;
  /** Most requests that wait; what comes then is refused at once. */
  readonly queueMax: number;
  /** A client that waited for so long gives up, ms. Its request stays in the queue: nobody tells the service. */
  readonly timeoutMs: number;
  /** A client tries again so often. */
  readonly retriesMax: number;
  /** The trigger: for so long, ms, so many times as many requests as usual. */
  readonly spikeRatio: number;
  readonly spikeMs: number;
}

/** A request that was served, however late; `isGivenUp`: nobody waits for its answer any more. */
export interface Served {
  readonly waitedMs: number;
  readonly isGivenUp: boolean;
}

interface Waiting {
  readonly arrivedAtMs: number;
  readonly tries: number;
  isGivenUp: boolean;
}

/** A client waits so long before it tries again, ms. */
const BACKOFF_MS = 100;

/**
 * A queue that a short spike can tip into a state that feeds itself: all wait longer than their clients do, so all that is served is
 * served in vain, and every request comes again and again. It stays when the spike is long over; only less load ends it.
 * Source: Bronson et al., Metastable Failures in Distributed Systems, HotOS 2021.
 */
export class RetryStorm {
  readonly #options: StormOptions;
  #queue: Waiting[] = [];
  #retries: { readonly atMs: number; readonly tries: number }[] = [];
  #capacity = 0;
  #startedAtMs: number | undefined;

  constructor(options: StormOptions) {
    this.#options = options;
  }

  /** How many times as many requests as usual come now. */
  loadRatio(nowMs: number): number {
    this.#startedAtMs ??= nowMs;
    return nowMs < this.#startedAtMs + this.#options.spikeMs ? this.#options.spikeRatio : 1;
  }

  /**
   * Lets the time until `nowMs` pass.
   *
   * @param arrivals - new requests; those that come again are added.
   * @param admits - whether the proxy lets a request through; who is turned away there does not come again.
   * @returns what was served, and how many were refused because too many wait.
   */
  step(nowMs: number, spanMs: number, arrivals: number, admits: () => boolean): { served: Served[]; refused: number } {
    const { capacityPerSecond, queueMax, timeoutMs } = this.#options;
    const due = this.#retries.filter(({ atMs }) => atMs <= nowMs);
    this.#retries = this.#retries.filter(({ atMs }) => atMs > nowMs);
    let refused = 0;
    for (const { tries } of [...Array.from({ length: arrivals }, () => ({ tries: 0 })), ...due]) {
      if (!admits()) continue;
      if (this.#queue.length < queueMax) this.#queue.push({ arrivedAtMs: nowMs, tries, isGivenUp: false });
      else {
        refused += 1;
        this.#again(nowMs, tries);
      }
    }
    for (const waiting of this.#queue) {
      if (waiting.isGivenUp || nowMs - waiting.arrivedAtMs < timeoutMs) continue;
      waiting.isGivenUp = true;
      this.#again(nowMs, waiting.tries);
    }
    const served: Served[] = [];
    this.#capacity = Math.min(capacityPerSecond, this.#capacity + (capacityPerSecond * spanMs) / 1_000);
    while (this.#capacity >= 1 && this.#queue.length > 0) {
      this.#capacity -= 1;
      const { arrivedAtMs, isGivenUp } = this.#queue.shift()!;
      served.push({ waitedMs: nowMs - arrivedAtMs, isGivenUp });
    }
    return { served, refused };
  }

  #again(nowMs: number, tries: number): void {
    if (tries < this.#options.retriesMax) this.#retries.push({ atMs: nowMs + BACKOFF_MS, tries: tries + 1 });
  }
}
