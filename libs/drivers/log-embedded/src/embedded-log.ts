import { RejectedError, UnavailableError } from '@flyball/core';
import {
  type Appended,
  laneName,
  type Log,
  type Membership,
  type NewRecord,
  type OffsetRange,
  ownEverything,
  type Partition,
  type Progress,
  type StoredRecord,
  type TopicState,
} from '@flyball/runtime';
import { Worker } from 'node:worker_threads';
import {
  type Answer,
  type AppendResult,
  type Broken,
  type EmbeddedLogOptions,
  type Greeting,
  type ReadResult,
  type Request,
  type Usage,
  VALUE_BYTES_MAX,
  type WorkerStart,
} from './protocol.ts';
import { Tail } from './tail.ts';

const BUDGET_BYTES = 2 * 1024 ** 3;
const TAIL_BYTES = 16 * 1024 ** 2;
/** The worker holds no state of size: small heaps make it let go of messages soon. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 };
/** Largest whole number of bytes that crosses to the worker. */
const READ_BYTES_MAX = 64 * 1024 ** 2;

type Asked = Request extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never;

interface Topic {
  readonly state: TopicState;
  readonly ranges: { startOffset: number; endOffset: number }[];
}

interface Waiting {
  readonly ask: Request['ask'];
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The durable {@link Log} on local disk. This is the caller's side; the database is the worker's. */
export class EmbeddedLog implements Log {
  readonly #worker: Worker;
  readonly #topics: Map<string, Topic>;
  readonly #tail: Tail;
  readonly #waiting = new Map<number, Waiting>();
  readonly #sleepers = new Map<string, Set<() => void>>();
  #outgoing: Request[] = [];
  #nextId = 0;
  #closed: Promise<void> | undefined;
  #failure: UnavailableError | undefined;
  readonly #onBroken: EmbeddedLogOptions['onBroken'];

  private constructor(worker: Worker, topics: Map<string, Topic>, { tailBytes, onBroken }: EmbeddedLogOptions) {
    this.#worker = worker;
    this.#topics = topics;
    this.#tail = new Tail(tailBytes ?? TAIL_BYTES);
    this.#onBroken = onBroken;
    worker.on('message', (said: Answer[] | Broken) => {
      if (Array.isArray(said)) return said.forEach((answer) => this.#settle(answer));
      const { brokenCode, message, hint } = said;
      this.#failure = new UnavailableError(brokenCode, message, { hint });
      onBroken?.(this.#failure);
    });
    worker.on('error', (cause) => this.#fail(cause));
    worker.on('exit', () => this.#fail(undefined));
  }

  /**
   * Opens the log of a data directory, and creates it where there is none.
   *
   * @throws {UnavailableError} `LOG_LOCKED` when another process owns the directory: stop, and say so.
   * `LOG_UNREADABLE` when the file is no database of ours, or of a later release: stop; restore it from a copy. `LOG_FULL`,
   * `DISK_READ_ONLY`, `DISK_FAILED`.
   */
  static async open(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
    const { dir, budgetBytes = BUDGET_BYTES, reservedTopics = [] } = options;
    const workerData: WorkerStart = { dir, budgetBytes, reservedTopics };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData, resourceLimits: WORKER_LIMITS });
    const greeting = await new Promise<Greeting>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if ('code' in greeting) {
      await worker.terminate();
      const { code, message, hint } = greeting;
      throw new UnavailableError(code, message, { ...(hint && { hint }), detail: { dir } });
    }
    const topics = greeting.topics.map(({ topic, id, partitions, ranges }) => {
      return [topic, { state: { id, partitions }, ranges: ranges.map((range) => ({ ...range })) }] as const;
    });
    return new EmbeddedLog(worker, new Map(topics), options);
  }

  async describe(topic: string): Promise<TopicState> {
    const known = this.#topics.get(topic);
    if (known === undefined)
      throw new UnavailableError('TOPIC_UNKNOWN', 'topic was not created', { detail: { topic } });
    return known.state;
  }

  async create(topic: string, partitions: number): Promise<TopicState> {
    const state = (await this.#ask({ ask: 'create', topic, partitions })) as TopicState;
    if (!this.#topics.has(topic)) {
      const ranges = Array.from({ length: partitions }, () => ({ startOffset: 0, endOffset: 0 }));
      this.#topics.set(topic, { state, ranges });
    }
    return state;
  }

  async read(from: Partition, fromOffset: number, maxBytes: number): Promise<readonly StoredRecord[]> {
    this.#refuseClosed();
    if (fromOffset === this.#range(from).endOffset) return [];
    const recent = this.#tail.read(placeOf(from), fromOffset, maxBytes);
    if (recent !== undefined && recent.length > 0) return recent;
    const bytes = Math.min(maxBytes, READ_BYTES_MAX);
    return (await this.#ask({ ask: 'read', from, fromOffset, maxBytes: bytes })) as ReadResult;
  }

  async append(to: Partition, records: readonly NewRecord[]): Promise<Appended> {
    if (records.some(({ value }) => value.length > VALUE_BYTES_MAX)) {
      const detail = { ...to, maxBytes: VALUE_BYTES_MAX };
      throw new RejectedError('RECORD_TOO_LARGE', 'a value is larger than the log takes', { detail });
    }
    const { firstOffset, appendedAtMs } = (await this.#ask({ ask: 'append', to, records })) as AppendResult;
    const place = placeOf(to);
    const stored = records.map((record, index) => ({ ...record, offset: firstOffset + index, appendedAtMs }));
    this.#tail.add(place, stored);
    this.#range(to).endOffset = firstOffset + records.length;
    for (const wake of this.#sleepers.get(place) ?? []) wake();
    return { firstOffset, appendedAtMs };
  }

  async range(of: Partition): Promise<OffsetRange> {
    return { ...this.#range(of) };
  }

  async trim(of: Partition, beforeOffset: number): Promise<void> {
    await this.#ask({ ask: 'trim', of, beforeOffset });
    const range = this.#range(of);
    range.startOffset = Math.min(Math.max(range.startOffset, beforeOffset), range.endOffset);
    this.#tail.trim(placeOf(of), range.startOffset);
  }

  async commit(reader: string, at: Partition, offset: number, reachedMs?: number): Promise<void> {
    await this.#ask({ ask: 'commit', reader, at, offset, reachedMs });
  }

  async committed(reader: string, at: Partition): Promise<number | undefined> {
    return (await this.#ask({ ask: 'committed', reader, at })) as number | undefined;
  }

  async progress(processor: string, topic: string): Promise<ReadonlyMap<number, Progress>> {
    const ranges = this.#topics.get(topic)?.ranges ?? [];
    const readers = ranges.map((_, partition) => laneName(processor, topic, partition));
    return (await this.#ask({ ask: 'progress', topic, readers })) as ReadonlyMap<number, Progress>;
  }

  join(_group: string, topics: readonly string[], onOwned: (owned: readonly Partition[]) => void): Promise<Membership> {
    return ownEverything(this, topics, onOwned);
  }

  async wait(at: Partition, offset: number, timeoutMs: number): Promise<void> {
    if (this.#range(at).endOffset > offset || this.#closed !== undefined) return;
    const place = placeOf(at);
    const sleepers = this.#sleepers.get(place) ?? new Set();
    this.#sleepers.set(place, sleepers);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      sleepers.add(wake);
    });
  }

  /** How full the log is. */
  async usage(): Promise<Usage> {
    return (await this.#ask({ ask: 'usage' })) as Usage;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    if (this.#failure === undefined) {
      await this.#ask({ ask: 'close' });
      await exited;
    }
    for (const sleepers of this.#sleepers.values()) for (const wake of [...sleepers]) wake();
  }

  /** Sends a request with all others of this turn of the event loop: one message costs less than many. */
  #ask(request: Asked): Promise<unknown> {
    this.#refuseClosed(request.ask === 'close');
    return new Promise((resolve, reject) => {
      const id = (this.#nextId += 1);
      this.#waiting.set(id, { ask: request.ask, resolve, reject });
      if (this.#outgoing.length === 0) setImmediate(() => this.#send());
      this.#outgoing.push({ id, ...request });
    });
  }

  #send(): void {
    const requests = this.#outgoing;
    this.#outgoing = [];
    this.#worker.postMessage(requests);
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (waiting === undefined) return;
    if ('ok' in answer) return waiting.resolve(answer.ok);
    const { kind, code, message } = answer;
    waiting.reject(kind === 'rejected' ? new RejectedError(code, message) : new UnavailableError(code, message));
  }

  /** The worker is gone. Appends that it did not answer may have been stored. */
  #fail(cause: unknown): void {
    const isNews = this.#failure === undefined && this.#closed === undefined;
    const hint = 'Start again: what was acknowledged before is there.';
    this.#failure ??= new UnavailableError('LOG_UNAVAILABLE', 'the log has stopped', { hint, cause });
    for (const { ask, resolve, reject } of this.#waiting.values()) {
      if (ask === 'close') resolve(undefined);
      else if (ask === 'append') reject(new UnavailableError('LOG_APPEND_UNKNOWN', 'the log stopped', { cause }));
      else reject(this.#failure);
    }
    this.#waiting.clear();
    if (isNews) this.#onBroken?.(this.#failure);
  }

  #refuseClosed(isClosing = false): void {
    if (this.#failure !== undefined && this.#closed === undefined) throw this.#failure;
    if (this.#closed !== undefined && !isClosing) throw new UnavailableError('LOG_CLOSED', 'the log was closed');
  }

  #range({ topic, partition }: Partition): Topic['ranges'][number] {
    const range = this.#topics.get(topic)?.ranges[partition];
    if (range !== undefined) return range;
    throw new UnavailableError('TOPIC_UNKNOWN', 'topic or partition was not created', { detail: { topic, partition } });
  }
}

function placeOf({ topic, partition }: Partition): string {
  return `${topic}/${partition}`;
}
