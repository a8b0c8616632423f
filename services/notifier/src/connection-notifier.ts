import { codeOf } from '@flyball/core';
import type { Logger } from '@flyball/host';
import type { NoticeConnection } from '@flyball/outbound';
import { setTimeout as sleep } from 'node:timers/promises';
import { retryAfterOf } from './deliver.ts';
import { Feed, type FeedPorts, INCIDENTS } from './feed.ts';
import { orStopped } from './follow.ts';

const WAIT_MS = 1_000;

/** What a connection is run with. */
export interface ConnectionPorts extends FeedPorts {
  readonly logger: Logger;
  readonly onFailure: (connection: string, code: string) => void;
}

/** Runs the feeds of one connection. Another connection never waits for it. */
export class ConnectionNotifier {
  readonly connection: NoticeConnection;
  readonly #ports: ConnectionPorts;
  readonly #runs = new Map<number, Run>();

  constructor(connection: NoticeConnection, ports: ConnectionPorts) {
    this.connection = connection;
    this.#ports = ports;
  }

  get feeds(): readonly Feed[] {
    return [...this.#runs.values()].map(({ feed }) => feed);
  }

  /** Code of the last error of a feed that does not get on, or ''. */
  get failure(): string {
    return [...this.#runs.values()].find(({ failure }) => failure !== '')?.failure ?? '';
  }

  /** Takes over partitions, and lets go of others. */
  own(partitions: readonly number[]): void {
    for (const [partition, run] of this.#runs) {
      if (partitions.includes(partition)) continue;
      run.stop.abort();
      this.#runs.delete(partition);
    }
    for (const partition of partitions) {
      if (this.#runs.has(partition)) continue;
      const feed = new Feed(this.connection, partition, this.#ports);
      const run: Run = { feed, failure: '', stop: new AbortController(), done: Promise.resolve() };
      run.done = this.#run(run);
      this.#runs.set(partition, run);
    }
  }

  /** Stops after what is under way. */
  async stop(): Promise<void> {
    const runs = [...this.#runs.values()];
    for (const { stop } of runs) stop.abort();
    await Promise.all(runs.map(({ done }) => done));
  }

  async #run(run: Run): Promise<void> {
    const { feed, stop } = run;
    const { config, log, nowMs } = this.#ports;
    let backoffMs = config.backoffMinMs;
    let repeatAtMs = nowMs();
    while (!stop.signal.aborted) {
      try {
        const isMore = await feed.pump();
        if (nowMs() >= repeatAtMs) {
          await feed.repeat();
          repeatAtMs = nowMs() + config.repeatMs;
        }
        this.#worked(run);
        backoffMs = config.backoffMinMs;
        const waitMs = Math.min(WAIT_MS, config.repeatMs);
        const at = { topic: INCIDENTS, partition: feed.partition };
        if (!isMore) await orStopped(log.wait(at, feed.offset, waitMs), stop.signal);
      } catch (error) {
        this.#failed(run, error);
        const pauseMs = Math.max(backoffMs, retryAfterOf(error));
        await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined);
        backoffMs = Math.min(2 * backoffMs, config.backoffMaxMs);
      }
    }
  }

  #worked(run: Run): void {
    if (run.failure !== '')
      this.#ports.logger.info({ connection: this.connection.name }, 'the connection is told again');
    run.failure = '';
  }

  #failed(run: Run, error: unknown): void {
    const code = codeOf(error);
    const { name } = this.connection;
    this.#ports.onFailure(name, code);
    if (code !== run.failure) this.#ports.logger.warn({ error, connection: name }, 'is not told; it is tried again');
    run.failure = code;
  }
}

interface Run {
  readonly feed: Feed;
  readonly stop: AbortController;
  failure: string;
  done: Promise<void>;
}
