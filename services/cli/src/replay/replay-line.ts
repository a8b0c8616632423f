import { DEFAULT_TENANT, RAW_TOPICS, type SignalKind, TENANT_HEADER, TICK_HEADER } from '@flyball/contracts';
import { EMPTY_BYTES, SECOND_MS, slotStartMs } from '@flyball/core';
import { type ReplaySetup, ReplayStages } from './replay-stages.ts';
import type { ReplayEdge } from './replay-topology.ts';

/** One environment of a recording, as a log of its own in the time of its data. A file has no ticks: they are made here. */
export class ReplayLine {
  readonly #environment: string;
  readonly #stages: ReplayStages;
  readonly #sizes: { readonly windowMs: number; readonly graceMs: number };

  private constructor(environment: string, stages: ReplayStages, sizes: { windowMs: number; graceMs: number }) {
    this.#environment = environment;
    this.#stages = stages;
    this.#sizes = sizes;
  }

  /** Opens an environment whose first item is at `startMs`. */
  static async open(
    { environment, startMs }: { readonly environment: string; readonly startMs: number },
    { edges, ...setup }: Pick<ReplaySetup, 'config' | 'policies' | 'sinks'> & { readonly edges: readonly ReplayEdge[] },
  ): Promise<ReplayLine> {
    const at = { partitions: 1, startMs: slotStartMs(startMs, SECOND_MS) };
    const line = new ReplayLine(environment, await ReplayStages.open({ ...at, ...setup }), setup.config.aggregator);
    const own = edges.filter((edge) => edge.environment === undefined || edge.environment === environment);
    if (own.length > 0) await line.#stages.tellTopology(environment, own);
    await line.#tick();
    return line;
  }

  /** Appends requests at their log time, which never goes back. Seconds in between get their ticks. */
  async add(
    requests: readonly { readonly signal: SignalKind; readonly bytes: Uint8Array }[],
    atMs: number,
    services: Iterable<string>,
  ): Promise<void> {
    await this.#advance(atMs);
    for (const service of services) {
      await this.#stages.bind({ tenant: DEFAULT_TENANT, environment: this.#environment, service });
    }
    const headers = { [TENANT_HEADER]: DEFAULT_TENANT };
    for (const { signal, bytes } of requests) {
      await this.#stages.addRaw({ topic: RAW_TOPICS[signal], partition: 0 }, { key: '', headers, value: bytes });
    }
  }

  /** Lets time run until everything that was added is in a closed window. */
  async finish(lastItemMs: number): Promise<void> {
    const { windowMs, graceMs } = this.#sizes;
    await this.#advance(Math.max(lastItemMs, this.#stages.nowMs) + windowMs + graceMs + 2 * SECOND_MS);
    await this.#stages.run();
  }

  async #advance(atMs: number): Promise<void> {
    const stages = this.#stages;
    for (let next = slotStartMs(stages.nowMs, SECOND_MS) + SECOND_MS; next <= atMs; next += SECOND_MS) {
      stages.nowMs = next;
      await this.#tick();
      // Every window is run as soon as it can close, so that decisions see the time that they would have seen.
      if (next % this.#sizes.windowMs === 0) await stages.run();
    }
    stages.nowMs = Math.max(stages.nowMs, atMs);
  }

  async #tick(): Promise<void> {
    const headers = { [TICK_HEADER]: JSON.stringify({ refused: {} }) };
    for (const topic of Object.values(RAW_TOPICS)) {
      await this.#stages.addRaw({ topic, partition: 0 }, { key: '', headers, value: EMPTY_BYTES });
    }
  }
}
