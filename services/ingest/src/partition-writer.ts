import { DEFAULT_TENANT, TENANT_HEADER, TICK_HEADER, type Tick } from '@flyball/contracts';
import { AppError, concatBytes, EMPTY_BYTES, RejectedError, UnavailableError } from '@flyball/core';
import {
  formatProvenance,
  type Log,
  type NewRecord,
  type Partition,
  PROVENANCE_HEADER,
  writerOrigin,
} from '@flyball/runtime';

/** What became of a request: it is in the log, it surely is not, it never will be, or nobody can tell. */
export type Fate = 'stored' | 'refused' | 'rejected' | 'unknown';

interface Waiting {
  readonly tenant: string;
  readonly bytes: Uint8Array;
  readonly spans: number;
  readonly settle: (fate: Fate) => void;
}

/** What a writer needs to know of itself. */
export interface WriterOptions {
  readonly log: Log;
  readonly to: Partition;
  /** Unique per start of the process. */
  readonly run: string;
  readonly recordBytesMax: number;
  readonly ackTimeoutMs: number;
  /** A clock that nobody sets, ms: a jump of the wall clock is no silence of the log, and no skew. */
  readonly monotonicMs: () => number;
  /** Told of what is not in the log, or may not be, before anything else is written. */
  readonly onMissing: (tenant: string, spans: number) => void;
}

/** What a tick tells beside refusals. */
export type TickEvidence = Omit<Tick, 'refused'>;

/** What is known of the partition from what it has answered. */
export interface Answered {
  /** Append time of the last record that it took, ms; 0 when it never took one. */
  readonly ackedAtMs: number;
  /** How long it has not answered, ms. */
  readonly silentMs: number;
  /**
   * Its clock less our monotonic one, ms: append time less the middle of the wait for it. Only the difference to another
   * partition means anything. `undefined` before the first answer.
   */
  readonly aheadMs: number | undefined;
}

/**
 * Writes one raw partition: one append in flight, and requests that arrive meanwhile are joined into the next
 * record, byte for byte (concatenated OTLP requests are one valid request). Every record is stamped, so an
 * append that landed twice counts once.
 */
export class PartitionWriter {
  readonly #options: WriterOptions;
  #queue: Waiting[] = [];
  #isTickDue = false;
  #evidence: TickEvidence = {};
  /** Spans by tenant that were refused, or may be missing, and that nobody was told of here. */
  #owed: Record<string, number> = {};
  #isBusy = false;
  #sequence = 0;
  #lives = 0;
  #drained: (() => void)[] = [];
  #ackedAtMs = 0;
  #answeredMs: number;
  #aheadMs: number | undefined;
  /** Bytes that wait or are on their way. */
  pendingBytes = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#answeredMs = options.monotonicMs();
  }

  /** What is known of the partition from what it has answered. */
  get answered(): Answered {
    const silentMs = this.#options.monotonicMs() - this.#answeredMs;
    return { ackedAtMs: this.#ackedAtMs, silentMs, aheadMs: this.#aheadMs };
  }

  /** Hands over a request of so many spans. Resolves when it is stored, or given up. */
  write(tenant: string, bytes: Uint8Array, spans: number): Promise<Fate> {
    return new Promise((settle) => {
      this.pendingBytes += bytes.length;
      this.#queue.push({ tenant, bytes, spans, settle });
      this.#pump();
    });
  }

  /** Spans were refused, here or elsewhere, or nobody knows of them: whatever is appended next tells of it first. */
  owe(tenant: string, spans: number): void {
    this.#owed = addCounts(this.#owed, { [tenant]: spans });
  }

  /** Whether there are refusals that are not told yet. */
  get owes(): boolean {
    return Object.keys(this.#owed).length > 0;
  }

  /** Appends a tick, with what waits. */
  tick(evidence: TickEvidence): void {
    this.#evidence = evidence;
    this.#isTickDue = true;
    this.#pump();
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    if (!this.#isBusy && this.#queue.length === 0) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  #pump(): void {
    if (this.#isBusy) return;
    const batch = this.#takeBatch();
    const tick = this.#takeTick(batch.length > 0);
    if (batch.length === 0 && tick === undefined) {
      for (const resolve of this.#drained.splice(0)) resolve();
      return;
    }
    this.#isBusy = true;
    void this.#append(batch, tick).then((fate) => {
      for (const { tenant, bytes, spans, settle } of batch) {
        this.pendingBytes -= bytes.length;
        if (fate === 'refused' || fate === 'unknown') this.#options.onMissing(tenant, spans);
        settle(fate);
      }
      this.#isBusy = false;
      this.#pump();
    });
  }

  /** The tick that is due, or that must go before requests: their entry passes time on, and by then refusals must be known. */
  #takeTick(isBeforeRequests: boolean): Tick | undefined {
    if (!this.#isTickDue && !(isBeforeRequests && this.owes)) return undefined;
    const tick = { refused: this.#owed, ...this.#evidence };
    this.#isTickDue = false;
    this.#owed = {};
    return tick;
  }

  /** Requests of one tenant, from the front, that fit one record. */
  #takeBatch(): Waiting[] {
    const tenant = this.#queue[0]?.tenant;
    let count = 0;
    for (let bytes = 0; count < this.#queue.length; count += 1) {
      const next = this.#queue[count]!;
      bytes += next.bytes.length;
      if (next.tenant !== tenant || (count > 0 && bytes > this.#options.recordBytesMax)) break;
    }
    return this.#queue.splice(0, count);
  }

  async #append(batch: readonly Waiting[], tick: Tick | undefined): Promise<Fate> {
    const { log, to, ackTimeoutMs, monotonicMs } = this.#options;
    const records: NewRecord[] = [];
    if (tick !== undefined) {
      records.push({ key: '', headers: { [TICK_HEADER]: JSON.stringify(tick), ...this.#stamp() }, value: EMPTY_BYTES });
    }
    if (batch.length > 0) {
      const headers = { [TENANT_HEADER]: batch[0]?.tenant ?? DEFAULT_TENANT, ...this.#stamp() };
      records.push({ key: '', headers, value: concatBytes(batch.map(({ bytes }) => bytes)) });
    }
    const sentMs = monotonicMs();
    try {
      const { appendedAtMs } = await withTimeout(log.append(to, records), ackTimeoutMs);
      this.#answeredMs = monotonicMs();
      this.#ackedAtMs = Math.max(this.#ackedAtMs, appendedAtMs);
      this.#aheadMs = appendedAtMs - (sentMs + this.#answeredMs) / 2;
      return 'stored';
    } catch (error) {
      // Given up as a whole. Should it land later all the same, its writer is not the one of what follows.
      this.#lives += 1;
      this.#sequence = 0;
      if (tick !== undefined) this.#owed = addCounts(this.#owed, tick.refused);
      if (error instanceof RejectedError) return 'rejected';
      return error instanceof AppError && error.code !== 'LOG_APPEND_UNKNOWN' ? 'refused' : 'unknown';
    }
  }

  #stamp(): Record<string, string> {
    const { run, to } = this.#options;
    const origin = writerOrigin('ingest', `${run}.${this.#lives}/${to.topic}/${to.partition}`);
    this.#sequence += 1;
    return { [PROVENANCE_HEADER]: formatProvenance({ origin, epoch: 0, position: this.#sequence, index: 0 }) };
  }
}

function addCounts(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum = { ...a };
  for (const [tenant, count] of Object.entries(b)) sum[tenant] = (sum[tenant] ?? 0) + count;
  return sum;
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new UnavailableError('LOG_APPEND_UNKNOWN', 'the log did not answer in time', { detail: { timeoutMs } }));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
