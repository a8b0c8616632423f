import type { Log } from '@flyball/runtime';
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
  #lanes: readonly HotLane[] = [];

  constructor(ports: HotPorts, logger: Logger) {
    this.#ports = ports;
    this.#logger = logger;
  }

  /** Starts to follow all partitions. @throws {UnavailableError} `TOPIC_UNKNOWN`, `LOG_UNAVAILABLE` */
  async start(): Promise<void> {
    const sources = await hotSources(this.#ports.log);
    this.#lanes = sources.map((source) => new HotLane(this.#ports, source, this.#logger));
    for (const lane of this.#lanes) lane.start();
  }

  /** Stops after what is under way. */
  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
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
