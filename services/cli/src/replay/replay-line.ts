import { DEFAULT_TENANT, TENANT_HEADER, TICK_HEADER } from '@flyball/contracts';
import { EMPTY_BYTES, SECOND_MS, slotStartMs } from '@flyball/core';
import { LINE_DEFAULTS } from '@flyball/standalone';
import { type ReplayPolicy, type ReplaySinks, ReplayStages } from './replay-stages.ts';

/** One environment of a recording, as a log of its own in the time of its data. A file has no ticks: they are made here. */
export class ReplayLine {
  readonly #environment: string;
  readonly #stages: ReplayStages;

  private constructor(environment: string, stages: ReplayStages) {
    this.#environment = environment;
    this.#stages = stages;
  }

  /** Opens an environment whose first item is at `startMs`. */
  static async open(
    { environment, startMs }: { readonly environment: string; readonly startMs: number },
    policies: readonly ReplayPolicy[],
    sinks: ReplaySinks,
  ): Promise<ReplayLine> {
    const about = { config: LINE_DEFAULTS, partitions: 1, startMs: slotStartMs(startMs, SECOND_MS) };
    const line = new ReplayLine(environment, await ReplayStages.open({ ...about, policies, sinks }));
    await line.#tick();
    return line;
  }

  /** Appends a request at its log time, which never goes back. Seconds in between get their ticks. */
  async add(request: Uint8Array, atMs: number, services: Iterable<string>): Promise<void> {
    await this.#advance(atMs);
    for (const service of services) {
      await this.#stages.bind({ tenant: DEFAULT_TENANT, environment: this.#environment, service });
    }
    await this.#stages.addRaw(0, { key: '', headers: { [TENANT_HEADER]: DEFAULT_TENANT }, value: request });
  }

  /** Lets time run until everything that was added is in a closed window. */
  async finish(lastItemMs: number): Promise<void> {
    const { windowMs, graceMs } = LINE_DEFAULTS.aggregator;
    await this.#advance(Math.max(lastItemMs, this.#stages.nowMs) + windowMs + graceMs + 2 * SECOND_MS);
    await this.#stages.run();
  }

  async #advance(atMs: number): Promise<void> {
    const stages = this.#stages;
    for (let next = slotStartMs(stages.nowMs, SECOND_MS) + SECOND_MS; next <= atMs; next += SECOND_MS) {
      stages.nowMs = next;
      await this.#tick();
      // Every window is run as soon as it can close, so that decisions see the time that they would have seen.
      if (next % LINE_DEFAULTS.aggregator.windowMs === 0) await stages.run();
    }
    stages.nowMs = Math.max(stages.nowMs, atMs);
  }

  async #tick(): Promise<void> {
    const headers = { [TICK_HEADER]: JSON.stringify({ refused: {} }) };
    await this.#stages.addRaw(0, { key: '', headers, value: EMPTY_BYTES });
  }
}
