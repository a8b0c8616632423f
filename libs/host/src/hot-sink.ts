import { type Log, type Membership, ownEverything, type Partition } from '@flyball/runtime';
import { HOT_TOPICS } from './hot-changes.ts';
import { HotLane, type HotPorts, type HotSource } from './hot-lane.ts';
import type { Logger } from './logger.ts';

/**
 * Writes windows and assessments from the log to the hot store. Whoever runs it may run it twice: the store takes what
 * comes again. A start, and a store that was emptied, are filled from the last hour of the log.
 */
export class HotSink {
  readonly #ports: HotPorts;
  readonly #logger: Logger;
  readonly #lanes = new Map<string, HotLane>();
  #membership: Membership | undefined;

  constructor(ports: HotPorts, logger: Logger) {
    this.#ports = ports;
    this.#logger = logger;
  }

  /**
   * Starts to follow all partitions, or its share of them.
   *
   * @param group - of the sinks that fill the same store; without one this fills a store of its own.
   * @throws {UnavailableError} `TOPIC_UNKNOWN`, `LOG_UNAVAILABLE`
   */
  async start(group?: string): Promise<void> {
    const { log } = this.#ports;
    const sources = await hotSources(log);
    const topics = [...new Set(sources.map(({ from }) => from.topic))];
    const own = (owned: readonly Partition[]) => this.#own(sources, owned);
    this.#membership = await (group === undefined ? ownEverything(log, topics, own) : log.join(group, topics, own));
  }

  /** Stops after what is under way. */
  async stop(): Promise<void> {
    await this.#membership?.leave();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }

  #own(sources: readonly HotSource[], owned: readonly Partition[]): void {
    const isOwned = ({ from }: HotSource) =>
      owned.some(({ topic, partition }) => topic === from.topic && partition === from.partition);
    for (const source of sources) {
      const running = this.#lanes.get(source.lane);
      if (isOwned(source) === (running !== undefined)) continue;
      if (running === undefined) {
        const lane = new HotLane(this.#ports, source, this.#logger);
        this.#lanes.set(source.lane, lane);
        lane.start();
      } else {
        this.#lanes.delete(source.lane);
        void running.stop();
      }
    }
  }
}

/** The partitions whose progress a complete hot store knows. */
export async function hotSources(log: Log): Promise<readonly HotSource[]> {
  const sources: HotSource[] = [];
  for (const [topic, read] of HOT_TOPICS) {
    const { id, partitions } = await log.describe(topic);
    for (let partition = 0; partition < partitions; partition += 1) {
      sources.push({ lane: `${topic}/${partition}@${id}`, from: { topic, partition }, read });
    }
  }
  return sources;
}
