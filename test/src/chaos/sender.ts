import { Prng } from '@flyball/core';
import { setTimeout as pause } from 'node:timers/promises';
import { chaosRequest } from './chaos-request.ts';
import { type Fate, Ledger, type LedgerEntry } from './ledger.ts';
import { type OtlpAnswer, OtlpClient } from './otlp-client.ts';

const SERVICES = 8;
const SPANS_PER_REQUEST = 20;
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
  /** How old the spans of a request are at most when it is sent, ms: up to a grace, and they are only out of order. */
  spreadMs = 400;
  /** Share of its requests that it sends twice, 0 to 1, as a client does that does not believe an answer. */
  twiceRatio = 0;
  readonly #options: SenderOptions;
  readonly #client: OtlpClient;
  readonly #dice: Prng;
  readonly #inFlight = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#dice = new Prng(options.seed);
    this.#client = new OtlpClient(options);
  }

  start(): void {
    const everyMs = (1_000 * SPANS_PER_REQUEST) / this.#options.spansPerSecond;
    this.#timer = setInterval(() => this.#sendNext(), everyMs);
  }

  /** Sends so many requests at once, beside the steady ones. */
  burst(requests: number): void {
    for (let sent = 0; sent < requests; sent += 1) this.#sendNext();
  }

  /** Sends the newest requests that were acked once more, all of them. Resolves with their count when they are answered. */
  async again(requests: number): Promise<number> {
    const acked = this.ledger.entries.filter((entry) => entry.acked > 0).slice(-requests);
    await Promise.all(acked.map((entry, index) => this.#send(entry, index % HTTP_EVERY === 0)));
    return acked.length;
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
    const { spreadMs } = this;
    const plan = { id, environment, service, spans: SPANS_PER_REQUEST, nowMs: Date.now(), spreadMs };
    const whole = chaosRequest(plan, this.#dice);
    const isMalformed = this.#count % MALFORMED_EVERY === 0;
    const entry = this.ledger.sent(id, isMalformed ? whole.subarray(0, -3) : whole, SPANS_PER_REQUEST);
    const isHttp = this.#count % HTTP_EVERY === 0;
    this.#follow(this.#send(entry, isHttp));
    const isTwice = this.twiceRatio > 0 && this.#dice.chance(this.twiceRatio);
    if (isTwice && !isMalformed) this.#follow(this.#send(entry, isHttp));
  }

  #follow(sending: Promise<void>): void {
    const followed = sending.finally(() => this.#inFlight.delete(followed));
    this.#inFlight.add(followed);
  }

  async #send(entry: LedgerEntry, isHttp: boolean): Promise<void> {
    for (let tries = 0; tries <= RESENDS_MAX; tries += 1) {
      const answer = isHttp ? this.#client.overHttp(entry.bytes) : this.#client.overGrpc(entry.bytes);
      // Sockets are written to at the end of a turn.
      setImmediate(() => setImmediate(() => (entry.leftAtMs ??= Date.now())));
      const fate = fateOf(await answer);
      this.ledger.answered(entry, fate);
      const isFinal = fate.kind === 'acked' || (fate.kind === 'refused' && fate.name.startsWith('OTLP_'));
      if (isFinal || !this.#options.resends) return;
      await pause(RESEND_AFTER_MS);
    }
  }
}

/** A refusal counts as one only when it says by name that nothing was stored. */
function fateOf({ isOk, status, text }: OtlpAnswer): Fate {
  if (isOk) return { kind: 'acked' };
  const name = /(?:INGEST|OTLP)_[A-Z]+/.exec(text)?.[0];
  if (name === undefined) return { kind: 'unknown', name: status };
  if (name === 'INGEST_UNKNOWN' || name === 'INGEST_FAILED') return { kind: 'unknown', name };
  return { kind: 'refused', name };
}
