import type { SignalKind } from '@flyball/contracts';
import { traced } from '@flyball/host';
import type { Log } from '@flyball/runtime';
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { IngestConfig } from './config.ts';
import { IntakeBudget } from './intake.ts';
import { type Accepted, SignalIngest, type SignalPorts, type Unreadable } from './signal-ingest.ts';
import { SIGNALS } from './signals.ts';

/** How long a sender should wait before it tries again, ms. */
export const RETRY_AFTER_MS = 1_000;

/** What ingest runs on. */
export interface IngestPorts {
  readonly log: Log;
  readonly registry: Registry;
  /** A clock that nobody sets, ms; default the machine's. Ingest asks no other: what time it is, the log says. */
  readonly monotonicMs?: () => number;
}

/**
 * The edge through which telemetry enters: it scans a request, stores it as it came, and answers when the log
 * has it. Both transports call {@link export}. At all times received = stored + rejected + shed + unknown.
 */
export class Ingest {
  /** What requests hold until they are stored, over both transports together. */
  readonly intake: IntakeBudget;
  readonly #signals: ReadonlyMap<SignalKind, SignalIngest>;
  readonly #ticker: NodeJS.Timeout;

  private constructor(config: IngestConfig, signals: ReadonlyMap<SignalKind, SignalIngest>, registry: Registry) {
    this.intake = new IntakeBudget(config.intakeBytesMax);
    this.#signals = signals;
    new Gauge({
      name: 'flyball_ingest_pending_bytes',
      help: 'Bytes that wait to be stored.',
      registers: [registry],
      collect(): void {
        this.set(pendingBytesOf(signals));
      },
    });
    new Gauge({
      name: 'flyball_ingest_clock_skew_seconds',
      help: 'How far the clock of a raw partition’s broker is off that of the others.',
      labelNames: ['signal', 'partition'],
      registers: [registry],
      collect(): void {
        for (const [signal, each] of signals) {
          for (const [partition, skewMs] of each.skewsMs().entries()) this.set({ signal, partition }, skewMs / 1_000);
        }
      },
    });
    this.#ticker = setInterval(() => {
      for (const signal of signals.values()) signal.tick();
    }, config.tickMs);
  }

  /** Opens ingest on a log whose raw topics exist. */
  static async open(config: IngestConfig, { log, registry, monotonicMs }: IngestPorts): Promise<Ingest> {
    const requests = new Counter({
      name: 'flyball_ingest_requests_total',
      help: 'Requests by kind of telemetry and what became of them.',
      labelNames: ['signal', 'outcome'],
      registers: [registry],
    });
    const rejections = new Counter({
      name: 'flyball_ingest_rejections_total',
      help: 'Items that were rejected, by kind of telemetry and why; a malformed request counts as one.',
      labelNames: ['signal', 'reason'],
      registers: [registry],
    });
    const signals = new Map<SignalKind, SignalIngest>();
    const shared: SignalPorts = {
      ...{ log, registry, requests, rejections, run: randomUUID() },
      monotonicMs: monotonicMs ?? (() => performance.now()),
      pendingBytes: () => pendingBytesOf(signals),
    };
    for (const form of SIGNALS) signals.set(form.signal, await SignalIngest.open(form, config, shared));
    return new Ingest(config, signals, registry);
  }

  /**
   * Stores a serialised Export{Trace,Metrics,Logs}ServiceRequest. On return it is durable.
   *
   * @param unreadable - items of the request that are not in it, since nobody can read them.
   * @throws {RejectedError} `OTLP_MALFORMED`, `OTLP_JSON_INVALID`, `ITEM_TOO_LARGE`: never send it again.
   * @throws {UnavailableError} `INGEST_OVERLOADED`, `INGEST_DRAINING`, `INGEST_REFUSED`: nothing was stored, send
   * it again after {@link RETRY_AFTER_MS}. `INGEST_UNKNOWN`: it may have been stored; sent again it may count twice.
   */
  export(signal: SignalKind, bytes: Uint8Array, tenant: string, unreadable?: Unreadable): Promise<Accepted> {
    const ingest = this.#signals.get(signal)!;
    return traced(`ingest ${signal}`, { 'flyball.bytes': bytes.length }, () =>
      ingest.export(bytes, tenant, unreadable),
    );
  }

  /** Counts a request that is none of this kind of telemetry, in a form that only its server reads. */
  tellMalformed(signal: SignalKind): void {
    this.#signals.get(signal)!.tellMalformed();
  }

  /** Counts a request that was refused before anybody knew what is in it, and has windows of its time say so. */
  tellRefused(signal: SignalKind, tenant: string): void {
    this.#signals.get(signal)!.tellRefused(tenant);
  }

  /** Stops ticking and taking, and resolves when everything that waits is answered. */
  async drain(): Promise<void> {
    clearInterval(this.#ticker);
    await Promise.all([...this.#signals.values()].map((signal) => signal.drain()));
    // Whoever was just answered gets to say so before anybody closes the door.
    await setImmediate();
  }

  /**
   * Tells what was refused since the last tick: who drains refuses, and nobody must take for silence what was sent meanwhile.
   * Call it after {@link drain}, when no request can come any more.
   */
  async close(): Promise<void> {
    await Promise.all([...this.#signals.values()].map((signal) => signal.close()));
  }
}

function pendingBytesOf(signals: ReadonlyMap<SignalKind, SignalIngest>): number {
  return [...signals.values()].reduce((sum, { pendingBytes }) => sum + pendingBytes, 0);
}
