import type { Topic } from '@flyball/contracts';
import { RejectedError, UnavailableError } from '@flyball/core';
import { traced } from '@flyball/host';
import { splitTraces, TraceScan } from '@flyball/otlp';
import type { Log } from '@flyball/runtime';
import { randomInt, randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { IngestConfig } from './config.ts';
import { PartitionHealth } from './partition-health.ts';
import { type Fate, PartitionWriter } from './partition-writer.ts';
import { screen } from './screen.ts';

const TOPIC = 'otlp_spans' satisfies Topic;

/** How long a sender should wait before it tries again, ms. */
export const RETRY_AFTER_MS = 1_000;

/** Answer to a request that was stored. */
export interface Accepted {
  readonly rejectedSpans: number;
  readonly message: string;
}

/** What ingest runs on. */
export interface IngestPorts {
  readonly log: Log;
  readonly registry: Registry;
  /** A clock that nobody sets, ms; default the machine's. Ingest asks no other: what time it is, the log says. */
  readonly monotonicMs?: () => number;
}

/**
 * The edge through which telemetry enters: it scans a request, stores it as it came, and answers when the log
 * has it. Both transports call {@link traces}. At all times received = stored + rejected + shed + unknown.
 */
export class Ingest {
  readonly #config: IngestConfig;
  readonly #writers: readonly PartitionWriter[];
  readonly #scan = new TraceScan(randomInt(2 ** 32));
  readonly #spans: Counter<'outcome'>;
  readonly #requests: Counter<'outcome'>;
  readonly #run: string;
  readonly #health: PartitionHealth;
  readonly #ticker: NodeJS.Timeout;
  #next = 0;
  #isDraining = false;

  private constructor(
    config: IngestConfig,
    run: string,
    writers: readonly PartitionWriter[],
    { registry, monotonicMs }: Required<Omit<IngestPorts, 'log'>>,
  ) {
    this.#config = config;
    this.#run = run;
    this.#writers = writers;
    const health = new PartitionHealth(writers, monotonicMs);
    this.#health = health;
    this.#spans = new Counter({
      name: 'flyball_ingest_spans_total',
      help: 'Spans by what became of them: received = stored + rejected + shed + unknown.',
      labelNames: ['outcome'],
      registers: [registry],
    });
    this.#requests = new Counter({
      name: 'flyball_ingest_requests_total',
      help: 'Requests by what became of them.',
      labelNames: ['outcome'],
      registers: [registry],
    });
    new Gauge({
      name: 'flyball_ingest_pending_bytes',
      help: 'Bytes that wait to be stored.',
      registers: [registry],
      collect(): void {
        this.set(writers.reduce((sum, writer) => sum + writer.pendingBytes, 0));
      },
    });
    new Gauge({
      name: 'flyball_ingest_clock_skew_seconds',
      help: 'How far the clock of a raw partition’s broker is off that of the others.',
      labelNames: ['partition'],
      registers: [registry],
      collect(): void {
        for (const partition of writers.keys()) this.set({ partition }, health.skewMs(partition) / 1_000);
      },
    });
    for (const outcome of ['received', 'stored', 'rejected', 'shed', 'unknown']) {
      this.#spans.inc({ outcome }, 0);
      this.#requests.inc({ outcome }, 0);
    }
    this.#ticker = setInterval(() => this.#tick(), config.tickMs);
  }

  /** Opens ingest on a log whose raw topic exists. */
  static async open(config: IngestConfig, ports: IngestPorts): Promise<Ingest> {
    const { log, registry, monotonicMs = () => performance.now() } = ports;
    const { partitions } = await log.describe(TOPIC);
    const run = randomUUID();
    const { recordBytesMax, ackTimeoutMs } = config;
    // Who reads one partition must know what the others were refused, too.
    const onRefused = (tenant: string, spans: number) => {
      for (const writer of writers) writer.owe(tenant, spans);
    };
    const writers: readonly PartitionWriter[] = Array.from(
      { length: partitions },
      (_, partition) =>
        new PartitionWriter({
          log,
          to: { topic: TOPIC, partition },
          run,
          recordBytesMax,
          ackTimeoutMs,
          monotonicMs,
          onRefused,
        }),
    );
    return new Ingest(config, run, writers, { registry, monotonicMs });
  }

  /**
   * Stores a serialised ExportTraceServiceRequest. On return it is durable.
   *
   * @throws {RejectedError} `OTLP_MALFORMED`, `SPAN_TOO_LARGE`: never send it again.
   * @throws {UnavailableError} `INGEST_OVERLOADED`, `INGEST_DRAINING`, `INGEST_REFUSED`: nothing was stored, send
   * it again after {@link RETRY_AFTER_MS}. `INGEST_UNKNOWN`: it may have been stored; sent again it may count twice.
   */
  traces(bytes: Uint8Array, tenant: string): Promise<Accepted> {
    return traced('ingest traces', { 'flyball.bytes': bytes.length }, () => this.#traces(bytes, tenant));
  }

  async #traces(bytes: Uint8Array, tenant: string): Promise<Accepted> {
    this.#requests.inc({ outcome: 'received' });
    try {
      this.#scan.read(bytes);
    } catch (error) {
      if (error instanceof RejectedError) this.#requests.inc({ outcome: 'rejected' });
      throw error;
    }
    // Before the log has said what time it is nothing is early; the aggregator judges again.
    const earlyAfterMs = (this.#health.logMs ?? Infinity) + this.#config.earlyMs;
    const { spans, rejectedSpans, message, ...screened } = screen(bytes, this.#scan, earlyAfterMs);
    this.#spans.inc({ outcome: 'received' }, spans);
    this.#spans.inc({ outcome: 'rejected' }, rejectedSpans);
    const tooLarge = spans > rejectedSpans ? await this.#store(screened.bytes, tenant, spans - rejectedSpans) : 0;
    this.#requests.inc({ outcome: 'stored' });
    if (tooLarge === 0) return { rejectedSpans, message };
    const words = `${message === '' ? 'rejected spans: ' : `${message}; `}${tooLarge} larger than a record of the log`;
    return { rejectedSpans: rejectedSpans + tooLarge, message: words };
  }

  /** Stops ticking and taking, and resolves when everything that waits is answered. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    clearInterval(this.#ticker);
    await Promise.all(this.#writers.map((writer) => writer.drain()));
    // Whoever was just answered gets to say so before anybody closes the door.
    await setImmediate();
  }

  /**
   * Tells what was refused since the last tick: who drains refuses, and nobody must take for silence what was sent meanwhile.
   * Call it after {@link drain}, when no request can come any more.
   */
  async close(): Promise<void> {
    if (!this.#writers.some(({ owes }) => owes)) return;
    this.#tick();
    await Promise.all(this.#writers.map((writer) => writer.drain()));
  }

  /** Returns how many of the spans are larger than a record of the log; the others are stored. */
  async #store(bytes: Uint8Array, tenant: string, spans: number): Promise<number> {
    const count = (outcome: string) => {
      this.#spans.inc({ outcome }, spans);
      this.#requests.inc({ outcome });
    };
    const hint = 'Send it again after the time that the answer names.';
    const pendingBytes = this.#writers.reduce((sum, writer) => sum + writer.pendingBytes, 0);
    if (this.#isDraining || pendingBytes + bytes.length > this.#config.pendingBytesMax) {
      count('shed');
      for (const writer of this.#writers) writer.owe(tenant, spans);
      const code = this.#isDraining ? 'INGEST_DRAINING' : 'INGEST_OVERLOADED';
      throw new UnavailableError(code, this.#isDraining ? 'ingest is stopping' : 'too much waits to be stored', {
        hint,
      });
    }
    const { fate, tooLarge } = await this.#write(bytes, tenant, spans);
    if (fate === 'stored') {
      this.#spans.inc({ outcome: 'stored' }, spans - tooLarge);
      this.#spans.inc({ outcome: 'rejected' }, tooLarge);
      return tooLarge;
    }
    count(fate === 'refused' ? 'shed' : fate);
    if (fate === 'rejected') {
      const detail = { bytes: bytes.length };
      throw new RejectedError('SPAN_TOO_LARGE', 'a span is larger than a record of the log', { detail });
    }
    if (fate === 'refused') throw new UnavailableError('INGEST_REFUSED', 'the log takes no telemetry now', { hint });
    throw new UnavailableError('INGEST_UNKNOWN', 'the log did not say whether it stored this', { hint });
  }

  /**
   * Writes a request, in parts where it is larger than a record. Parts that were stored stay so: then nobody can say
   * "refused"; nor "send it again" because of a part that is a span which will never fit.
   */
  async #write(
    bytes: Uint8Array,
    tenant: string,
    spans: number,
  ): Promise<{ readonly fate: Fate; readonly tooLarge: number }> {
    if (bytes.length <= this.#config.recordBytesMax) {
      return { fate: await this.#pickWriter().write(tenant, bytes, spans), tooLarge: 0 };
    }
    const parts = splitTraces(bytes, this.#config.recordBytesMax).map((part) => ({ part, spans: spansOf(part) }));
    const fates = await Promise.all(parts.map((each) => this.#pickWriter().write(tenant, each.part, each.spans)));
    const rest = new Set(fates.filter((fate) => fate !== 'rejected'));
    if (rest.size === 0) return { fate: 'rejected', tooLarge: 0 };
    const rejected = parts.filter((_, part) => fates[part] === 'rejected');
    const tooLarge = rejected.reduce((sum, part) => sum + part.spans, 0);
    const isPart = rest.size > 1 || (tooLarge > 0 && !rest.has('stored'));
    return { fate: isPart ? 'unknown' : [...rest][0]!, tooLarge };
  }

  /** The writer with the least to do, in turn among equals, so that load spreads over partitions that are well. */
  #pickWriter(): PartitionWriter {
    const { takers } = this.#health;
    const count = takers.length;
    this.#next = (this.#next + 1) % count;
    let best = takers[this.#next]!;
    for (let step = 1; step < count; step += 1) {
      const other = takers[(this.#next + step) % count]!;
      if (other.pendingBytes < best.pendingBytes) best = other;
    }
    return best;
  }

  #tick(): void {
    this.#health.look();
    const tick = { writer: this.#run, stalled: this.#health.stalled() };
    for (const [partition, writer] of this.#writers.entries()) {
      if (this.#health.takesTick(partition)) writer.tick(tick);
    }
  }
}

function spansOf(bytes: Uint8Array): number {
  const scan = new TraceScan();
  scan.read(bytes);
  return scan.count;
}
