import type { DeadLetter } from '@flyball/contracts';
import { laneOf, type RejectedError } from '@flyball/core';
import { DEAD_LETTER_BYTES_MAX, type LaneSpec, type Outlet } from './lane.ts';
import type { Outbox, TopicBodies } from './processor.ts';
import { AT_HEADER, formatProvenance, PROVENANCE_HEADER } from './provenance.ts';
import type { NewRecord, Partition, StoredRecord } from './record.ts';

/** Records of one partition that are to be appended together, in order. */
export interface Batch {
  readonly to: Partition;
  readonly records: NewRecord[];
  sizeBytes: number;
}

/** Most bytes of keys, headers and values in one append; a larger one is split, in order. */
const BATCH_BYTES_MAX = 1_000_000;

/**
 * Collects what a processor says while it reads a batch, as records stamped with their provenance, one
 * list per partition.
 */
export class Outputs<Out extends TopicBodies> implements Outbox<Out> {
  readonly #spec: LaneSpec<never, Out>;
  readonly #lane: string;
  readonly #epoch: number;
  readonly #batches = new Map<string, Batch[]>();
  #cause: StoredRecord | undefined;
  #atMs = 0;
  #index = 0;

  constructor(spec: LaneSpec<never, Out>, lane: string, epoch: number) {
    this.#spec = spec;
    this.#lane = lane;
    this.#epoch = epoch;
  }

  /** Turns to the next entry: what is said from now on follows from it. */
  follow(cause: StoredRecord, atMs: number): void {
    this.#cause = cause;
    this.#atMs = atMs;
    this.#index = 0;
  }

  emit<T extends keyof Out & string>(topic: T, key: string, body: Out[T]): void {
    const outlet = this.#spec.outboxes[topic];
    this.#add(outlet, laneOf(key, outlet.partitions), { key, ...written(outlet, body) });
  }

  broadcast<T extends keyof Out & string>(topic: T, body: Out[T]): void {
    const outlet = this.#spec.outboxes[topic];
    const message = { key: '', ...written(outlet, body) };
    for (let partition = 0; partition < outlet.partitions; partition += 1) this.#add(outlet, partition, message);
  }

  reject(error: RejectedError): void {
    const { offset, value } = this.#cause!;
    const letter: DeadLetter = {
      lane: this.#lane,
      offset,
      code: error.code,
      message: error.message,
      valueBase64: base64(value.subarray(0, DEAD_LETTER_BYTES_MAX)),
      sizeBytes: value.length,
    };
    const outlet = this.#spec.deadLetters;
    this.#add(outlet, laneOf(this.#lane, outlet.partitions), { key: this.#lane, ...written(outlet, letter) });
  }

  /** Takes out what was collected: per partition one or more appends, in order. */
  take(): readonly (readonly Batch[])[] {
    const taken = [...this.#batches.values()];
    this.#batches.clear();
    return taken;
  }

  #add(outlet: Outlet<never>, partition: number, { key, headers: more, value }: NewRecord): void {
    const provenance = { origin: this.#lane, epoch: this.#epoch, position: this.#cause!.offset, index: this.#index };
    this.#index += 1;
    const headers = { ...more, [PROVENANCE_HEADER]: formatProvenance(provenance), [AT_HEADER]: String(this.#atMs) };
    const place = `${outlet.topic}/${partition}`;
    const batches = this.#batches.get(place) ?? [];
    this.#batches.set(place, batches);
    const sizeBytes = sizeOf({ key, headers, value });
    let batch = batches.at(-1);
    if (batch === undefined || batch.sizeBytes + sizeBytes > BATCH_BYTES_MAX) {
      batch = { to: { topic: outlet.topic, partition }, records: [], sizeBytes: 0 };
      batches.push(batch);
    }
    batch.records.push({ key, headers, value });
    batch.sizeBytes += sizeBytes;
  }
}

/** About what a record takes in an append: text as if it were ASCII, which ours is but for names of services. */
function sizeOf({ key, headers, value }: NewRecord): number {
  let size = key.length + value.length;
  for (const name in headers) size += name.length + headers[name]!.length;
  return size;
}

function written<Body>({ codec }: Outlet<Body>, body: Body): Omit<NewRecord, 'key'> {
  return { headers: codec.headers?.(body) ?? {}, value: codec.encode(body) };
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3 * 1024) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + 3 * 1024)));
  }
  return text;
}
