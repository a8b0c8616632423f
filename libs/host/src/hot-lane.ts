import { AppError, HOUR_MS, MINUTE_MS, SECOND_MS } from '@flyball/core';
import {
  AT_HEADER,
  type HotBatch,
  type HotChange,
  type HotStore,
  isFresh,
  type Log,
  Marks,
  type OffsetRange,
  type Partition,
  type StoredRecord,
} from '@flyball/runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadChange } from './hot-changes.ts';
import type { Logger } from './logger.ts';

/** Most bytes of values of one batch, beyond its first. */
const BATCH_BYTES_MAX = 1_000_000;
/** What is shown is an hour; lanes that write a partition side by side may be a minute apart. */
const LOOK_BACK_MS = HOUR_MS + 2 * MINUTE_MS;
const IDLE_WAIT_MS = SECOND_MS;
/** An idle lane says this often where it is: so a store that was emptied is noticed, and does not forget the lane. */
const IDLE_BATCH_EVERY_MS = 10 * SECOND_MS;
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 5 * SECOND_MS;

/** What a sink runs on. */
export interface HotPorts {
  readonly log: Log;
  readonly hot: HotStore;
}

/** A partition that the hot store shows. */
export interface HotSource {
  /** What its batches are called. */
  readonly lane: string;
  readonly from: Partition;
  readonly read: ReadChange;
}

interface Position {
  readonly marks: Marks;
  /** Next offset to read. */
  offset: number;
  /** End of the log when this began: from there on the lane is caught up. */
  readonly endOffset: number;
  isFirst: boolean;
  appliedAtMs: number;
}

/** Follows one partition into the hot store until it is stopped. Whatever fails is tried again; nobody waits for it. */
export class HotLane {
  readonly #ports: HotPorts;
  readonly #source: HotSource;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  #position: Position | undefined;
  /** What was read and is not stored yet. It is repeated as it is. */
  #batch: HotBatch | undefined;
  #backoffMs = BACKOFF_MIN_MS;
  #failure: string | undefined;
  #done: Promise<void> | undefined;

  constructor(ports: HotPorts, source: HotSource, logger: Logger) {
    this.#ports = ports;
    this.#source = source;
    this.#logger = logger;
  }

  start(): void {
    this.#done ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#turn();
        this.#recovered();
      } catch (error) {
        this.#failed(error);
        await sleep(this.#backoffMs, undefined, { signal }).catch(() => undefined);
        this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
      }
    }
  }

  async #turn(): Promise<void> {
    const { log, hot } = this.#ports;
    const { from, lane } = this.#source;
    const position = (this.#position ??= await this.#begin());
    const batch = (this.#batch ??= await this.#read(position));
    if (batch === undefined) {
      await log.wait(from, position.offset, IDLE_WAIT_MS);
      return;
    }
    const isStored = await hot.apply(batch);
    this.#batch = undefined;
    if (isStored) {
      position.offset = batch.offset;
      position.isFirst = false;
      position.appliedAtMs = performance.now();
      return;
    }
    this.#position = undefined;
    this.#logger.info({ lane }, 'the hot store has lost what it knew; it is filled again');
  }

  async #begin(): Promise<Position> {
    const { log } = this.#ports;
    const { from } = this.#source;
    const range = await log.range(from);
    const offset = await firstOfLast(LOOK_BACK_MS, log, from, range);
    return { marks: new Marks(), offset, endOffset: range.endOffset, isFirst: true, appliedAtMs: 0 };
  }

  async #read({ offset, endOffset, isFirst, appliedAtMs, marks }: Position): Promise<HotBatch | undefined> {
    const { from, lane } = this.#source;
    const records = await this.#ports.log.read(from, offset, BATCH_BYTES_MAX);
    const isDue = isFirst || performance.now() - appliedAtMs > IDLE_BATCH_EVERY_MS;
    if (records.length === 0 && !isDue) return undefined;
    const changes = records.map((record) => this.#change(record, marks)).filter((change) => change !== undefined);
    const nextOffset = offset + records.length;
    const isCaughtUp = nextOffset >= endOffset;
    return { lane, fromOffset: offset, offset: nextOffset, isFirst, isCaughtUp, changes };
  }

  /** What cannot be read, because a later release wrote it, is not shown: a view must not hold anything up. */
  #change(record: StoredRecord, marks: Marks): HotChange | undefined {
    try {
      if (!isFresh(record, marks)) return undefined;
      return this.#source.read(record);
    } catch (error) {
      this.#logger.warn({ error, lane: this.#source.lane, offset: record.offset }, 'a record is not shown');
      return undefined;
    }
  }

  #failed(error: unknown): void {
    const code = error instanceof AppError ? error.code : String(error);
    // The log ends elsewhere than it did: read from where it is now.
    if (code === 'LOG_GAP' || code === 'LOG_TRUNCATED') this.#position = undefined;
    if (code === this.#failure || this.#stop.signal.aborted) return;
    this.#failure = code;
    this.#logger.warn({ error, lane: this.#source.lane }, 'services are not shown as they are; it is tried again');
  }

  #recovered(): void {
    this.#backoffMs = BACKOFF_MIN_MS;
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#logger.info({ lane: this.#source.lane }, 'services are shown as they are again');
  }
}

/**
 * Offset of the first record within `lastMs` of log time before the newest. Log time grows along a partition, but for
 * the distance between the lanes that write it; so it is searched for by halves.
 */
async function firstOfLast(
  lastMs: number,
  log: Log,
  from: Partition,
  { startOffset, endOffset }: OffsetRange,
): Promise<number> {
  if (startOffset === endOffset) return startOffset;
  const sinceMs = (await atMsOf(log, from, endOffset - 1)) - lastMs;
  let [low, high] = [startOffset, endOffset - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await atMsOf(log, from, middle)) < sinceMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function atMsOf(log: Log, from: Partition, offset: number): Promise<number> {
  const [record] = await log.read(from, offset, 1);
  const atMs = record?.headers[AT_HEADER];
  return atMs === undefined ? (record?.appendedAtMs ?? 0) : Number(atMs);
}
