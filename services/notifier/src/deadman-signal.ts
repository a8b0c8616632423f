import type { Deadman, HeartbeatConnection, NoticeConnection } from '@flyball/outbound';
import { setTimeout as sleep } from 'node:timers/promises';
import { deliver } from './deliver.ts';
import type { ProgressStore } from './progress-store.ts';
import type { Pulse } from './pulse.ts';
import { pulseRequest } from './requests.ts';

/** How many periods an Alertmanager believes a pulse. */
const BELIEVED_PERIODS = 3;

/** What the signal is made with. */
export interface DeadmanPorts {
  readonly connections: readonly (NoticeConnection | HeartbeatConnection)[];
  readonly everyMs: Deadman['everyMs'];
  readonly attemptDeadlineMs: number;
  readonly progress: Pick<ProgressStore, 'loadWell' | 'saveWell'>;
  /** Why we are not well; empty while we are; `undefined` while nobody can tell yet. */
  readonly reasons: () => Promise<readonly string[] | undefined>;
  /** Wall clock, ms. */
  readonly nowMs: () => number;
  readonly onPulse: (connection: string, error: unknown) => void;
  /** Told of each state that was said. */
  readonly onState: (isWell: boolean, reasons: readonly string[]) => void;
}

/**
 * Says that we are well, again and again: whoever misses it knows that we are not. When we are not well it is not said, and from the
 * second time on what is wrong is said instead; a chat is told of changes alone.
 */
export class DeadmanSignal {
  readonly #ports: DeadmanPorts;
  readonly #stop = new AbortController();
  /** What chats were told last, by this process or, once it is looked up, the one before. */
  readonly #saidWell = new Map<string, boolean>();
  readonly #lookups = new Set<string>();
  /** Saves one after the other: the last one said is the last one kept. */
  #saved: Promise<void> = Promise.resolve();
  #sinceMs: number | undefined;
  #wasWell: boolean | undefined;
  #done: Promise<void> | undefined;

  constructor(ports: DeadmanPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    await this.#saved;
  }

  /** One look, and what is to be said of it. */
  async beat(): Promise<void> {
    const { reasons: look, everyMs, nowMs, connections, onState } = this.#ports;
    const reasons = await look().catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
    for (const { name, kind } of connections) if (kind === 'slack') this.#lookUp(name);
    if (reasons === undefined) return;
    const isWell = reasons.length === 0;
    const isSure = isWell || this.#wasWell === false;
    if (this.#wasWell !== isWell) this.#sinceMs = nowMs();
    this.#wasWell = isWell;
    onState(isWell, reasons);
    if (!isSure) return;
    const pulse = { reasons, sinceMs: this.#sinceMs!, validUntilMs: nowMs() + BELIEVED_PERIODS * everyMs };
    await Promise.all(connections.map((connection) => this.#say(connection, pulse)));
  }

  async #say(connection: NoticeConnection | HeartbeatConnection, pulse: Pulse): Promise<void> {
    const { nowMs, attemptDeadlineMs, onPulse } = this.#ports;
    const { name, kind } = connection;
    const isWell = pulse.reasons.length === 0;
    if (kind === 'slack' && (this.#saidWell.get(name) ?? true) === isWell) return;
    try {
      await deliver(pulseRequest(connection, pulse, nowMs()), attemptDeadlineMs);
      if (kind === 'slack') this.#keep(name, isWell);
      onPulse(name, undefined);
    } catch (error) {
      onPulse(name, error);
    }
  }

  /** In the background: a store that is slow must not keep anybody from hearing of us. Where it is away the next beat asks again. */
  #lookUp(name: string): void {
    if (this.#saidWell.has(name) || this.#lookups.has(name)) return;
    this.#lookups.add(name);
    this.#ports.progress
      .loadWell(name)
      .then((isWell = true) => {
        if (!this.#saidWell.has(name)) this.#saidWell.set(name, isWell);
      })
      .catch(() => undefined)
      .finally(() => this.#lookups.delete(name));
  }

  #keep(name: string, isWell: boolean): void {
    this.#saidWell.set(name, isWell);
    // Where it cannot be stored, who comes after us does not know of it.
    this.#saved = this.#saved.then(() => this.#ports.progress.saveWell(name, isWell)).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.beat();
      await sleep(this.#ports.everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
