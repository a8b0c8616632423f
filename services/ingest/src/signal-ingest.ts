import { RejectedError, UnavailableError } from '@flyball/core';
import { splitRequest } from '@flyball/otlp';
import type { Log } from '@flyball/runtime';
import { randomInt } from 'node:crypto';
import { Counter, type Registry } from 'prom-client';
import type { IngestConfig } from './config.ts';
import { PartitionHealth } from './partition-health.ts';
import { type Fate, PartitionWriter } from './partition-writer.ts';
import { screen } from './screen.ts';
import type { Scanned, SignalForm } from './signals.ts';

/** Answer to a request that was stored. */
export interface Accepted {
  /** Spans, data points or log records that were not stored. */
  readonly rejected: number;
  readonly message: string;
}

/** Items that nobody can read: they are no part of what is stored. */
export interface Unreadable {
  readonly count: number;
  /** Where they are, and why; '' where there is none. */
  readonly why: string;
}

/** What all kinds of telemetry share. */
export interface SignalPorts {
  readonly log: Log;
  readonly registry: Registry;
  /** Requests of all kinds, by kind and what became of them. */
  readonly requests: Counter<'signal' | 'outcome'>;
  /** Items that were rejected, by kind of telemetry and why; malformed requests count as one each. */
  readonly rejections: Counter<'signal' | 'reason'>;
  /** A clock that nobody sets, ms. */
  readonly monotonicMs: () => number;
  /** Names one start of one ingest. */
  readonly run: string;
  /** Bytes of all kinds that wait to be stored. */
  readonly pendingBytes: () => number;
}

/** Parts of a large request that wait to be stored at once: the others need not be in memory yet. */
const PARTS_AT_ONCE = 4;

/** What can become of requests and items. */
export const OUTCOMES = ['received', 'stored', 'rejected', 'shed', 'unknown'] as const;

/** Takes one kind of telemetry, and stores it in its raw topic. */
export class SignalIngest {
  readonly #form: SignalForm;
  readonly #config: IngestConfig;
  readonly #ports: SignalPorts;
  readonly #writers: readonly PartitionWriter[];
  readonly #scan: (bytes: Uint8Array) => Scanned;
  /** A reader of its own for parts, while the request is still being looked at. */
  readonly #count: (bytes: Uint8Array) => Scanned;
  readonly #items: Counter<'outcome'>;
  readonly #health: PartitionHealth;
  /** Requests that are being written, part by part. */
  readonly #writing = new Set<Promise<unknown>>();
  #next = 0;
  /** Whether requests are refused, because ingest is stopping. */
  isDraining = false;

  private constructor(form: SignalForm, config: IngestConfig, writers: readonly PartitionWriter[], ports: SignalPorts) {
    this.#form = form;
    this.#config = config;
    this.#ports = ports;
    this.#writers = writers;
    this.#scan = form.scanner(randomInt(2 ** 32));
    this.#count = form.scanner(0);
    this.#health = new PartitionHealth(writers, ports.monotonicMs);
    const called = form.items.replace('_', ' ');
    this.#items = new Counter({
      name: `flyball_ingest_${form.items}_total`,
      help: `${called[0]!.toUpperCase()}${called.slice(1)} by what became of them: received = stored + rejected + shed + unknown.`,
      labelNames: ['outcome'],
      registers: [ports.registry],
    });
    for (const outcome of OUTCOMES) {
      this.#items.inc({ outcome }, 0);
      ports.requests.inc({ signal: form.signal, outcome }, 0);
    }
  }

  /** Opens it on a log whose raw topic exists. */
  static async open(form: SignalForm, config: IngestConfig, ports: SignalPorts): Promise<SignalIngest> {
    const { log, run, monotonicMs } = ports;
    const { partitions } = await log.describe(form.topic);
    const { recordBytesMax, ackTimeoutMs } = config;
    // Who reads one partition must know what the others miss, too.
    const onMissing = (tenant: string, items: number) => {
      for (const writer of writers) writer.owe(tenant, items);
    };
    const shared = { log, run, recordBytesMax, ackTimeoutMs, monotonicMs, onMissing };
    const writers: readonly PartitionWriter[] = Array.from(
      { length: partitions },
      (_, partition) => new PartitionWriter({ ...shared, to: { topic: form.topic, partition } }),
    );
    return new SignalIngest(form, config, writers, ports);
  }

  /** Bytes that wait to be stored. */
  get pendingBytes(): number {
    return this.#writers.reduce((sum, writer) => sum + writer.pendingBytes, 0);
  }

  /** How far the clock of each raw partition's broker is off that of the others, ms. */
  skewsMs(): readonly number[] {
    return this.#writers.map((_, partition) => this.#health.skewMs(partition));
  }

  /** Stores a request; see `Ingest.export`. */
  async export(bytes: Uint8Array, tenant: string, unreadable: Unreadable = { count: 0, why: '' }): Promise<Accepted> {
    this.#tell('received');
    let scanned: Scanned;
    try {
      scanned = this.#scan(bytes);
    } catch (error) {
      if (error instanceof RejectedError) this.#tellRejected();
      throw error;
    }
    if (unreadable.count > 0 && scanned.items === 0) {
      this.#tellRejected();
      throw new RejectedError('OTLP_JSON_INVALID', `not OTLP/JSON: ${unreadable.why}`);
    }
    // Before the log has said what time it is nothing is early; the aggregator judges again.
    const earlyAfterMs = (this.#health.logMs ?? Infinity) + this.#config.earlyMs;
    const { items, rejected, flaws, message, ...screened } = screen(bytes, scanned, this.#form, earlyAfterMs);
    this.#items.inc({ outcome: 'received' }, items + unreadable.count);
    this.#items.inc({ outcome: 'rejected' }, rejected + unreadable.count);
    for (const [reason, count] of Object.entries({ ...flaws, malformed: unreadable.count })) {
      this.#ports.rejections.inc({ signal: this.#form.signal, reason }, count);
    }
    const tooLarge = items > rejected ? await this.#store(screened.bytes, tenant, items - rejected) : 0;
    this.#tell('stored');
    const more = [
      ...(tooLarge > 0 ? [`${tooLarge} larger than a record of the log`] : []),
      ...(unreadable.count > 0 ? [`${unreadable.count} that cannot be read (${unreadable.why})`] : []),
    ];
    return { rejected: rejected + tooLarge + unreadable.count, message: this.#said(message, rejected, more) };
  }

  /** What a sender is told, in one line. */
  #said(message: string, rejected: number, more: readonly string[]): string {
    if (more.length === 0) return message;
    const called = this.#form.items.replace('_', ' ');
    // A message without a rejected item is a warning.
    const said =
      rejected > 0 ? message : [`rejected ${called}: ${more.join('; ')}`, message].filter(Boolean).join('; ');
    return rejected > 0 ? `${said}; ${more.join('; ')}` : said;
  }

  /** Resolves when everything that waits is answered. */
  async drain(): Promise<void> {
    this.isDraining = true;
    await Promise.allSettled(this.#writing);
    await Promise.all(this.#writers.map((writer) => writer.drain()));
  }

  /** Tells what was refused since the last tick. Call it after {@link drain}. */
  async close(): Promise<void> {
    if (!this.#writers.some(({ owes }) => owes)) return;
    this.tick();
    await Promise.all(this.#writers.map((writer) => writer.drain()));
  }

  /** Returns how many of the items are larger than a record of the log; the others are stored. */
  async #store(bytes: Uint8Array, tenant: string, items: number): Promise<number> {
    const count = (outcome: 'shed' | 'rejected' | 'unknown') => {
      this.#items.inc({ outcome }, items);
      this.#tell(outcome);
    };
    const hint = 'Send it again after the time that the answer names.';
    const isFull = this.#ports.pendingBytes() + bytes.length > this.#config.pendingBytesMax;
    if (this.isDraining || isFull) {
      count('shed');
      for (const writer of this.#writers) writer.owe(tenant, items);
      const code = this.isDraining ? 'INGEST_DRAINING' : 'INGEST_OVERLOADED';
      throw new UnavailableError(code, this.isDraining ? 'ingest is stopping' : 'too much waits to be stored', {
        hint,
      });
    }
    const writing = this.#write(bytes, tenant, items);
    this.#writing.add(writing);
    const { fate, tooLarge } = await writing.finally(() => this.#writing.delete(writing));
    if (fate === 'stored') {
      this.#items.inc({ outcome: 'stored' }, items - tooLarge);
      this.#items.inc({ outcome: 'rejected' }, tooLarge);
      if (tooLarge > 0) this.#ports.rejections.inc({ signal: this.#form.signal, reason: 'too_large' }, tooLarge);
      return tooLarge;
    }
    count(fate === 'refused' ? 'shed' : fate);
    if (fate === 'rejected') {
      this.#ports.rejections.inc({ signal: this.#form.signal, reason: 'too_large' }, items);
      const detail = { bytes: bytes.length };
      throw new RejectedError('ITEM_TOO_LARGE', 'one item is larger than a record of the log', { detail });
    }
    if (fate === 'refused') throw new UnavailableError('INGEST_REFUSED', 'the log takes no telemetry now', { hint });
    throw new UnavailableError('INGEST_UNKNOWN', 'the log did not say whether it stored this', { hint });
  }

  /**
   * Writes a request, in parts where it is larger than a record. Parts that were stored stay so: then nobody can say
   * "refused"; nor "send it again" because of a part that is an item which will never fit.
   */
  async #write(
    bytes: Uint8Array,
    tenant: string,
    items: number,
  ): Promise<{ readonly fate: Fate; readonly tooLarge: number }> {
    if (bytes.length <= this.#config.recordBytesMax) {
      return { fate: await this.#pickWriter().write(tenant, bytes, items), tooLarge: 0 };
    }
    const written: { readonly fate: Fate; readonly items: number }[] = [];
    const underWay = new Set<Promise<void>>();
    for (const part of splitRequest(bytes, this.#form.signal, this.#config.recordBytesMax)) {
      const count = this.#count(part).items;
      const one: Promise<void> = this.#pickWriter()
        .write(tenant, part, count)
        .then((fate) => {
          written.push({ fate, items: count });
          underWay.delete(one);
        });
      underWay.add(one);
      if (underWay.size === PARTS_AT_ONCE) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    const rest = new Set(written.map(({ fate }) => fate).filter((fate) => fate !== 'rejected'));
    if (rest.size === 0) return { fate: 'rejected', tooLarge: 0 };
    const tooLarge = written.reduce((sum, part) => sum + (part.fate === 'rejected' ? part.items : 0), 0);
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

  /** Appends a tick to each partition that is to get one. */
  tick(): void {
    this.#health.look();
    const tick = { writer: this.#ports.run, stalled: this.#health.stalled() };
    for (const [partition, writer] of this.#writers.entries()) {
      if (this.#health.takesTick(partition)) writer.tick(tick);
    }
  }

  /** Counts a request that is none of this kind of telemetry. */
  tellMalformed(): void {
    this.#tell('received');
    this.#tellRejected();
  }

  /** Counts a request that was refused unseen: it held one item at least. */
  tellRefused(tenant: string): void {
    this.#tell('received');
    this.#tell('shed');
    for (const writer of this.#writers) writer.owe(tenant, 1);
  }

  #tellRejected(): void {
    this.#tell('rejected');
    this.#ports.rejections.inc({ signal: this.#form.signal, reason: 'malformed' });
  }

  #tell(outcome: (typeof OUTCOMES)[number]): void {
    this.#ports.requests.inc({ signal: this.#form.signal, outcome });
  }
}
