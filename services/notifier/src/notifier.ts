import { codeOf } from '@flyball/core';
import type { LaneHealth, Logger } from '@flyball/host';
import type { Connections, NoticeConnection } from '@flyball/outbound';
import type { Log, Membership, Objects } from '@flyball/runtime';
import type { Registry } from 'prom-client';
import { BlindWatch } from './blind-watch.ts';
import type { NotifierConfig } from './config.ts';
import { ConnectionNotifier, type ConnectionPorts } from './connection-notifier.ts';
import { type ConnectionState, stateOf, type TestAnswer, tryConnection } from './connection-state.ts';
import { DeadmanSignal } from './deadman-signal.ts';
import { INCIDENTS } from './feed.ts';
import { LineWatch } from './line-watch.ts';
import { NotifierMetrics } from './metrics.ts';
import { ProgressStore } from './progress-store.ts';

/** Kinds of connections that the notifier speaks to. */
export const NOTIFIER_KINDS = ['alertmanager', 'slack', 'webhook', 'heartbeat'] as const;
type NotifierConnections = Connections<(typeof NOTIFIER_KINDS)[number]>;

/** What a notifier runs on. */
export interface NotifierOptions {
  readonly log: Log;
  /** Where it keeps how far each connection was told. */
  readonly objects: Objects;
  readonly connections: NotifierConnections;
  /** Lanes of this process, whose health counts for the dead-man signal; default none. */
  readonly lanes?: () => Promise<readonly LaneHealth[]>;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Wall clock, ms. */
  readonly nowMs?: () => number;
}

/** Tells people and other systems of incidents, and that we are well. Several may run: they share the incidents. */
export class Notifier {
  readonly #config: NotifierConfig;
  readonly #options: NotifierOptions;
  readonly #notifiers: readonly ConnectionNotifier[];
  readonly #metrics: NotifierMetrics;
  readonly #lastSentAtMs = new Map<string, number>();
  readonly #pulseFailures = new Map<string, string>();
  readonly #line: LineWatch;
  readonly #blind: BlindWatch;
  readonly #deadman: DeadmanSignal | undefined;
  readonly #nowMs: () => number;
  #membership: Membership | undefined;
  #reasons: readonly string[] = [];

  constructor(config: NotifierConfig, options: NotifierOptions) {
    this.#config = config;
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    const ports = this.#ports();
    const told = options.connections.connections.filter((each): each is NoticeConnection => each.kind !== 'heartbeat');
    this.#notifiers = told.map((connection) => new ConnectionNotifier(connection, ports));
    this.#metrics = new NotifierMetrics(options.registry, this.#notifiers);
    this.#line = new LineWatch(options.log);
    this.#blind = new BlindWatch(options.log);
    this.#deadman = this.#makeDeadman();
  }

  /** Joins those who share the incidents, and tells until it is stopped. @throws {UnavailableError} `TOPIC_UNKNOWN`, `LOG_UNAVAILABLE` */
  async start(): Promise<void> {
    if (this.#notifiers.length > 0) {
      this.#membership = await this.#options.log.join('notifier', [INCIDENTS], (owned) => {
        for (const each of this.#notifiers) each.own(owned.map(({ partition }) => partition));
      });
    }
    if (this.#deadman === undefined) return;
    await this.#line.start(this.#nowMs());
    await this.#blind.start();
    this.#deadman.start();
  }

  /** Stops after what is under way; what is not told yet is told at the next start. */
  async stop(): Promise<void> {
    await this.#deadman?.stop();
    await Promise.all([this.#line.stop(), this.#blind.stop(), ...this.#notifiers.map((each) => each.stop())]);
    await this.#membership?.leave();
  }

  /** How every connection is doing. */
  states(): Promise<readonly ConnectionState[]> {
    const { connections, deadman } = this.#options.connections;
    return Promise.all(
      connections.map((connection) =>
        stateOf(connection, {
          notifier: this.#notifiers.find((each) => each.connection === connection),
          isPinged: deadman?.connections.includes(connection.name) === true,
          pulseFailure: this.#pulseFailures.get(connection.name) ?? '',
          lastSentAtMs: this.#lastSentAtMs.get(connection.name) ?? null,
        }),
      ),
    );
  }

  /** Why the dead-man signal does not say that we are well; empty while it does, or nobody is pinged. */
  get reasons(): readonly string[] {
    return this.#reasons;
  }

  /** Sends one test notification; `undefined` where there is no such connection. */
  async test(name: string): Promise<TestAnswer | undefined> {
    const connection = this.#options.connections.connections.find((each) => each.name === name);
    return connection && tryConnection(connection, this.#config, this.#nowMs());
  }

  #ports(): ConnectionPorts {
    const { log, objects, logger } = this.#options;
    return {
      ...{ log, logger, config: this.#config, nowMs: this.#nowMs, progress: new ProgressStore(objects) },
      onSent: (connection, event) => {
        this.#metrics.sent.inc({ connection, event });
        this.#lastSentAtMs.set(connection, this.#nowMs());
      },
      onWithheld: (connection, reason) => this.#metrics.withheld.inc({ connection, reason }),
      onDropped: (connection, error) => {
        this.#metrics.dropped.inc({ connection });
        logger.error({ error, connection }, 'a notification was refused again and again; it is left out');
      },
      onFailure: (connection, code) => this.#metrics.failures.inc({ connection, code }),
    };
  }

  #makeDeadman(): DeadmanSignal | undefined {
    const { connections, deadman } = this.#options.connections;
    if (deadman === undefined) return undefined;
    return new DeadmanSignal({
      connections: connections.filter(({ name }) => deadman.connections.includes(name)),
      ...{ everyMs: deadman.everyMs, attemptDeadlineMs: this.#config.attemptDeadlineMs, nowMs: this.#nowMs },
      progress: new ProgressStore(this.#options.objects),
      reasons: () => this.#look(),
      onPulse: (connection, error) => this.#pulsed(connection, error),
      onState: (isWell, reasons) => {
        this.#metrics.well.set(isWell ? 1 : 0);
        this.#reasons = reasons;
      },
    });
  }

  async #look(): Promise<readonly string[] | undefined> {
    const nowMs = this.#nowMs();
    const lanes = (await this.#options.lanes?.()) ?? [];
    const ill = lanes.filter(({ state }) => state !== 'running' && state !== 'resting');
    const line = await this.#line.reasons(nowMs, this.#config.blindAfterMs);
    const blind = this.#blind.reasons(nowMs);
    const seen = [...blind, ...(line ?? [])];
    if (line === undefined && seen.length === 0) return undefined;
    return [...seen, ...ill.map(({ lane, state, code }) => `${lane} is ${state}${code === '' ? '' : `: ${code}`}`)];
  }

  #pulsed(connection: string, error: unknown): void {
    if (error === undefined) {
      this.#metrics.pulses.inc({ connection });
      this.#pulseFailures.delete(connection);
      this.#lastSentAtMs.set(connection, this.#nowMs());
      return;
    }
    const code = codeOf(error);
    this.#metrics.failures.inc({ connection, code });
    if (this.#pulseFailures.get(connection) !== code)
      this.#options.logger.warn({ error, connection }, 'the dead-man signal is not taken');
    this.#pulseFailures.set(connection, code);
  }
}
