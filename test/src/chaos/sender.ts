import { Prng } from '@flyball/core';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { setTimeout as pause } from 'node:timers/promises';
import { chaosRequest } from './chaos-request.ts';
import { type Fate, Ledger, type LedgerEntry } from './ledger.ts';

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const SERVICES = 8;
const SPANS_PER_REQUEST = 20;
/** Longer than ingest itself waits for the log: its own word is worth more than our impatience. */
const DEADLINE_MS = 20_000;
/** One request in so many goes over HTTP, and one in so many is cut short, which ingest must refuse. */
const HTTP_EVERY = 5;
const MALFORMED_EVERY = 50;
const RESEND_AFTER_MS = 1_000;
const RESENDS_MAX = 30;

/** How a sender behaves. */
export interface SenderOptions {
  readonly otlpGrpc: string;
  readonly otlpHttp: string;
  readonly environment: string;
  readonly seed: number;
  readonly spansPerSecond: number;
  /** Whether it sends again what may be sent again, as an exporter does; then what was unknown may count twice. */
  readonly resends: boolean;
}

/** Sends traces at a steady rate, whatever the answers are, and keeps a ledger of them. */
export class Sender {
  readonly ledger = new Ledger();
  readonly #options: SenderOptions;
  readonly #client: Client;
  readonly #dice: Prng;
  readonly #inFlight = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#dice = new Prng(options.seed);
    // Who was cut off is back within a moment: the pauses of gRPC itself grow to minutes.
    this.#client = new Client(options.otlpGrpc.replace('http://', ''), credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
    });
  }

  start(): void {
    const everyMs = (1_000 * SPANS_PER_REQUEST) / this.#options.spansPerSecond;
    this.#timer = setInterval(() => this.#sendNext(), everyMs);
  }

  /** Sends so many requests at once, beside the steady ones. */
  burst(requests: number): void {
    for (let sent = 0; sent < requests; sent += 1) this.#sendNext();
  }

  /** Sends no more; resolves when all that was sent is answered, or given up. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#inFlight);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#client.close();
  }

  #sendNext(): void {
    this.#count += 1;
    const id = `r-${this.#options.seed}-${this.#count}`;
    const service = `service-${this.#count % SERVICES}`;
    const { environment } = this.#options;
    const plan = { id, environment, service, spans: SPANS_PER_REQUEST, nowMs: Date.now() };
    const whole = chaosRequest(plan, this.#dice);
    const isMalformed = this.#count % MALFORMED_EVERY === 0;
    const entry = this.ledger.sent(id, isMalformed ? whole.subarray(0, -3) : whole, SPANS_PER_REQUEST);
    const sending = this.#send(entry, this.#count % HTTP_EVERY === 0).finally(() => this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
  }

  async #send(entry: LedgerEntry, isHttp: boolean): Promise<void> {
    for (let tries = 0; tries <= RESENDS_MAX; tries += 1) {
      const fate = isHttp ? await this.#overHttp(entry.bytes) : await this.#overGrpc(entry.bytes);
      this.ledger.answered(entry, fate);
      const isFinal = fate.kind === 'acked' || (fate.kind === 'refused' && fate.name.startsWith('OTLP_'));
      if (isFinal || !this.#options.resends) return;
      await pause(RESEND_AFTER_MS);
    }
  }

  #overGrpc(bytes: Uint8Array): Promise<Fate> {
    const same = (each: Buffer) => each;
    const deadline = Date.now() + DEADLINE_MS;
    return new Promise((resolve) => {
      const done = (error: ServiceError | null) => resolve(error === null ? { kind: 'acked' } : fateOfGrpc(error));
      this.#client.makeUnaryRequest(EXPORT, same, same, Buffer.from(bytes), { deadline }, done);
    });
  }

  async #overHttp(bytes: Uint8Array): Promise<Fate> {
    try {
      const response = await fetch(`${this.#options.otlpHttp}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: Buffer.from(bytes),
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
      return response.ok ? { kind: 'acked' } : fateOf(text, `HTTP ${response.status}`);
    } catch {
      return { kind: 'unknown', name: 'connection' };
    }
  }
}

function fateOfGrpc({ code, details }: ServiceError): Fate {
  return fateOf(details, code === status.UNAVAILABLE ? 'connection' : `gRPC ${status[code]}`);
}

/** A refusal counts as one only when it says by name that nothing was stored. */
function fateOf(text: string, otherwise: string): Fate {
  const name = /(?:INGEST|OTLP)_[A-Z]+/.exec(text)?.[0];
  if (name === undefined) return { kind: 'unknown', name: otherwise };
  if (name === 'INGEST_UNKNOWN' || name === 'INGEST_FAILED') return { kind: 'unknown', name };
  return { kind: 'refused', name };
}
