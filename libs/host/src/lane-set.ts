import { MINUTE_MS } from '@flyball/core';
import type { AnyLaneSpec, LanePorts, Membership, Partition, TopicBodies } from '@flyball/runtime';
import { type LaneHealth, LaneLoop } from './lane-loop.ts';
import type { Logger } from './logger.ts';
import { Pace } from './pace.ts';

/** A lane that this process does not own any more keeps its state for so long: it may come back. */
const KEEP_MS = MINUTE_MS;

type AnyLoop = LaneLoop<unknown, TopicBodies>;

interface Held {
  readonly loop: AnyLoop;
  closing: NodeJS.Timeout | undefined;
}

/** The lanes that this process runs: those of its share of the partitions. Two owners of a lane are harmless. */
export class LaneSet {
  readonly #specs: readonly AnyLaneSpec[];
  readonly #ports: LanePorts;
  readonly #logger: Logger;
  readonly #paces: ReadonlyMap<AnyLaneSpec, Pace>;
  readonly #held = new Map<string, Held>();
  #membership: Membership | undefined;

  constructor(specs: readonly AnyLaneSpec[], ports: LanePorts, logger: Logger) {
    this.#specs = specs;
    this.#ports = ports;
    this.#logger = logger;
    this.#paces = pacesOf(specs, ports, logger);
  }

  /** Joins the group of processes that share these lanes. */
  async start(group: string): Promise<void> {
    const topics = [...new Set(this.#specs.map(({ inbox }) => inbox.topic))];
    this.#membership = await this.#ports.log.join(group, topics, (owned) => this.#own(owned));
  }

  /** Gives its lanes to the others, and saves them. */
  async stop(): Promise<void> {
    for (const { closing } of this.#held.values()) clearTimeout(closing);
    await Promise.all([...this.#held.values()].map(({ loop }) => loop.stop()));
    await this.#membership?.leave();
  }

  /** How every lane is doing that this process holds. */
  health(): Promise<readonly LaneHealth[]> {
    return Promise.all([...this.#held.values()].map(({ loop }) => loop.health()));
  }

  #own(owned: readonly Partition[]): void {
    const wanted = new Set<string>();
    for (const spec of this.#specs) {
      for (const { topic, partition } of owned) {
        if (topic !== spec.inbox.topic) continue;
        const loop = this.#loopOf(spec, partition);
        wanted.add(loop.lane);
      }
    }
    for (const [lane, held] of this.#held) {
      const isOwned = wanted.has(lane);
      held.loop.own(isOwned);
      clearTimeout(held.closing);
      held.closing = isOwned ? undefined : setTimeout(() => this.#close(lane), KEEP_MS).unref();
    }
  }

  #loopOf(spec: AnyLaneSpec, partition: number): AnyLoop {
    const fresh = new LaneLoop(spec, this.#ports, partition, {
      logger: this.#logger,
      pace: this.#paces.get(spec),
    });
    const known = this.#held.get(fresh.lane);
    if (known !== undefined) return known.loop;
    this.#held.set(fresh.lane, { loop: fresh, closing: undefined });
    fresh.start();
    return fresh;
  }

  #close(lane: string): void {
    const held = this.#held.get(lane);
    this.#held.delete(lane);
    void held?.loop.stop().catch((error: unknown) => this.#logger.warn({ error, lane }, 'lane did not close cleanly'));
  }
}

/** What keeps lanes together, by specification, for those whose lanes must. */
export function pacesOf(
  specs: readonly AnyLaneSpec[],
  { log }: LanePorts,
  logger: Logger,
): ReadonlyMap<AnyLaneSpec, Pace> {
  const paced = specs.filter(({ isPaced = false }) => isPaced);
  return new Map(
    paced.map((spec) => [spec, new Pace({ log, logger }, { processor: spec.name, topic: spec.inbox.topic })]),
  );
}
