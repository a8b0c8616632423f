import { UnavailableError } from '@flyball/core';
import type { Partition, StoredRecord } from '@flyball/runtime';
import type { Aborted } from './aborted.ts';
import type { Connection } from './connection.ts';
import { decoderOf, fetchRequest, type WireDecoder } from './internals.ts';
import { readBatches } from './record-batch.ts';

const FETCH_BYTES_MAX = 8 * 1024 * 1024;
const OFFSET_OUT_OF_RANGE = 1;
/** Asked for by whoever got nothing, though there is something: no batch of ours is larger. */
const BATCH_BYTES_MAX = 2 * 1024 * 1024;
/** The first of a request always gets a batch, so that nobody asks again more often than there are others. */
const TRIES_MAX = 100;

/** A place in a partition from which somebody wants to read. */
interface Want extends Partition {
  readonly offset: number;
  readonly maxBytes: number;
  readonly tries: number;
  readonly resolve: (records: readonly StoredRecord[]) => void;
  readonly reject: (error: unknown) => void;
}

/** What a broker answered for one partition. */
interface PartitionAnswer extends Partition {
  readonly errorCode: number;
  /** Records from here on are not to be read yet: they are not replicated, or of a transaction that is open. */
  readonly stableOffset: number;
  readonly batches: Buffer;
  readonly aborted: readonly Aborted[];
}

/**
 * Fetches for many readers at once: one request at a time per broker, with everybody who waits for it in it. A reader that
 * comes while a request is out is in the next one.
 */
export class Fetcher {
  readonly #connection: Connection;
  readonly #maxWaitMs: number;
  readonly #queues = new Map<number, Want[]>();
  readonly #busy = new Set<number>();

  /** @param maxWaitMs - how long a broker may wait for records before it answers that there are none. */
  constructor(connection: Connection, maxWaitMs: number) {
    this.#connection = connection;
    this.#maxWaitMs = maxWaitMs;
  }

  /**
   * Records from an offset on, or none. At least one whole batch where there is one, so more bytes than asked for may come.
   *
   * @throws {UnavailableError} `LOG_OFFSET_OUT_OF_RANGE`; everything else means: ask again.
   */
  async fetch(from: Partition, offset: number, maxBytes: number): Promise<readonly StoredRecord[]> {
    const nodeId = await this.#connection.leaderOf(from);
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(nodeId) ?? [];
      this.#queues.set(nodeId, queue);
      queue.push({ ...from, offset, maxBytes, tries: 1, resolve, reject });
      if (!this.#busy.has(nodeId)) void this.#run(nodeId);
    });
  }

  async #run(nodeId: number): Promise<void> {
    this.#busy.add(nodeId);
    await new Promise((resolve) => setImmediate(resolve)); // Let all who ask in this turn come along.
    for (let wants = this.#take(nodeId); wants.length > 0; wants = this.#take(nodeId)) {
      try {
        this.#answer(nodeId, wants, await this.#request(nodeId, wants));
      } catch (error) {
        for (const want of wants) want.reject(error);
        await this.#connection.refresh().catch(() => undefined);
      }
    }
    this.#busy.delete(nodeId);
  }

  /** One want per partition: a second one at another offset waits for the next round. */
  #take(nodeId: number): Want[] {
    const places = new Set<string>();
    const [now, later]: [Want[], Want[]] = [[], []];
    for (const want of this.#queues.get(nodeId) ?? []) {
      const place = placeOf(want);
      (places.has(place) ? later : now).push(want);
      places.add(place);
    }
    this.#queues.set(nodeId, later);
    return now;
  }

  async #request(nodeId: number, wants: readonly Want[]): Promise<readonly PartitionAnswer[]> {
    const byTopic = Map.groupBy(wants, ({ topic }) => topic);
    const topics = [...byTopic].map(([topic, group]) => ({
      topic,
      partitions: group.map(({ partition, offset, maxBytes }) => ({
        partition,
        fetchOffset: String(offset),
        maxBytes,
      })),
    }));
    const limits = { minBytes: 1, maxBytes: FETCH_BYTES_MAX, maxWaitTime: this.#maxWaitMs } as const;
    const request = fetchRequest({ replicaId: -1, isolationLevel: 1, rackId: '', ...limits, topics });
    const response = { decode, parse: async (answers: readonly PartitionAnswer[]) => answers };
    return this.#connection.withNode(nodeId, (broker) => broker.connectionPool.send({ request, response }));
  }

  #answer(nodeId: number, wants: readonly Want[], answers: readonly PartitionAnswer[]): void {
    const byPlace = new Map(answers.map((answer) => [placeOf(answer), answer]));
    let isStale = false;
    for (const want of wants) {
      const answer = byPlace.get(placeOf(want));
      try {
        if (answer === undefined) want.resolve([]);
        else if (answer.errorCode === 0) this.#give(nodeId, want, answer);
        else {
          isStale = true;
          want.reject(fetchError(answer.errorCode));
        }
      } catch (error) {
        want.reject(error);
      }
    }
    if (isStale) void this.#connection.refresh().catch(() => undefined);
  }

  /**
   * A broker promises a whole batch to the first partition of a request only: whoever else asked for less than a batch, or came
   * when the limit of the request was reached, got nothing or a piece. That is not the end of the log; they come first next time.
   */
  #give(nodeId: number, want: Want, { batches, aborted, stableOffset }: PartitionAnswer): void {
    const records = readBatches(batches, want.offset, aborted);
    if (records.length > 0 || want.offset >= stableOffset || want.tries >= TRIES_MAX) return want.resolve(records);
    const again = { ...want, maxBytes: Math.max(want.maxBytes, BATCH_BYTES_MAX), tries: want.tries + 1 };
    this.#queues.set(nodeId, [again, ...(this.#queues.get(nodeId) ?? [])]);
  }
}

function fetchError(errorCode: number): UnavailableError {
  const code = errorCode === OFFSET_OUT_OF_RANGE ? 'LOG_OFFSET_OUT_OF_RANGE' : 'LOG_UNAVAILABLE';
  return new UnavailableError(code, 'a broker did not answer a fetch', { detail: { errorCode } });
}

function placeOf({ topic, partition }: Partition): string {
  return `${topic}/${partition}`;
}

/** Source: Kafka protocol guide, Fetch response version 11. */
async function decode(raw: Buffer): Promise<readonly PartitionAnswer[]> {
  const decoder = decoderOf(raw);
  decoder.readInt32(); // Throttle time.
  decoder.readInt16(); // Error of the session; there is none.
  decoder.readInt32(); // Session id.
  return decoder.readArray(readTopic).flat();
}

function readTopic(decoder: WireDecoder): PartitionAnswer[] {
  const topic = decoder.readString();
  return decoder.readArray((each) => {
    const [partition, errorCode] = [each.readInt32(), each.readInt16()];
    each.readInt64(); // High watermark.
    const stableOffset = Number(each.readInt64().toString());
    each.readInt64(); // Start of the log.
    const aborted = each.readArray((one) => {
      return { producerId: BigInt(one.readInt64().toString()), firstOffset: BigInt(one.readInt64().toString()) };
    });
    each.readInt32(); // Preferred read replica.
    const length = each.readInt32();
    return {
      topic,
      partition,
      errorCode,
      stableOffset,
      aborted,
      batches: length > 0 ? each.readBytes(length) : Buffer.alloc(0),
    };
  });
}
