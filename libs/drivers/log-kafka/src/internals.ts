import { Kafka, type KafkaConfig } from 'kafkajs';
import { createRequire } from 'node:module';

// The one place that knows what kafkajs keeps to itself. A lane fetches from its own offset, without a group, and appends one
// request per partition whose answer it sees: the public producer and consumer offer neither. kafkajs is pinned, and the
// conformance suite notices when any of this changes.

/** A request as kafkajs sends it, and how its answer is read. */
export interface WireRequest<Answer> {
  readonly request: { apiKey: number; apiVersion: number; apiName: string; encode: () => Promise<unknown> };
  readonly response: { decode: (raw: Buffer) => Promise<Answer>; parse: (answer: Answer) => Promise<Answer> };
}

/** Where a batch was put. */
export interface ProduceAnswer {
  readonly topics: readonly {
    readonly partitions: readonly { partition: number; baseOffset: string; logAppendTime: string }[];
  }[];
}

/** A broker of the cluster, connected. */
export interface Broker {
  readonly connectionPool: { send<Answer>(request: WireRequest<Answer>): Promise<Answer> };
  listOffsets(of: {
    replicaId: -1;
    isolationLevel: 0;
    topics: readonly { topic: string; partitions: readonly { partition: number; timestamp: number }[] }[];
  }): Promise<{ responses: readonly { partitions: readonly { offset: string }[] }[] }>;
  deleteRecords(of: {
    topics: readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[];
  }): Promise<unknown>;
  offsetCommit(of: {
    groupId: string;
    groupGenerationId: -1;
    memberId: '';
    retentionTime: -1;
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number; offset: string; metadata: string }[];
    }[];
  }): Promise<unknown>;
  offsetFetch(of: {
    groupId: string;
    topics: readonly { topic: string; partitions: readonly { partition: number }[] }[];
  }): Promise<{
    responses: readonly {
      partitions: readonly { partition: number; offset: string; metadata: string | null }[];
    }[];
  }>;
  joinGroup(of: {
    groupId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    memberId: string;
    groupProtocols: readonly { name: string; metadata: Buffer }[];
  }): Promise<{
    memberId: string;
    leaderId: string;
    generationId: number;
    members: readonly { memberId: string; memberMetadata: Buffer }[];
  }>;
  syncGroup(of: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
  }): Promise<{ memberAssignment: Buffer }>;
  heartbeat(of: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(of: { groupId: string; memberId: string }): Promise<unknown>;
}

/** A partition, and which broker leads it; -1: none does. */
export interface Led {
  readonly partitionId: number;
  readonly leader: number;
}

/** Connections to the brokers, and which of them leads what. */
export interface Cluster {
  /** Asks one broker after another; `null` where none has answered, whatever each has said. */
  readonly brokerPool: { withBroker<T>(work: (at: { broker: Broker }) => Promise<T>): Promise<T | null> };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(of: { nodeId: number | string }): Promise<Broker>;
  findGroupCoordinator(of: { groupId: string }): Promise<Broker>;
  findTopicPartitionMetadata(topic: string): readonly Led[];
}

/** Reads what a broker sent. */
export interface WireDecoder {
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBoolean(): boolean;
  readBytes(length?: number): Buffer;
  readUVarIntString(): string | null;
  readArray<T>(read: (decoder: WireDecoder) => T): T[];
  readUVarIntArray<T>(read: (decoder: WireDecoder) => T): T[];
  readTaggedFields(): unknown;
}

interface WireEncoder {
  buf: Buffer;
  offset: number;
  ensureAvailable(length: number): void;
}

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder') as new (raw: Buffer) => WireDecoder;
const Encoder = require('kafkajs/src/protocol/encoder') as new (bytes?: number) => WireEncoder;
const produceResponse =
  require('kafkajs/src/protocol/requests/produce/v7/response') as WireRequest<ProduceAnswer>['response'];
const fetchV11 = require('kafkajs/src/protocol/requests/fetch/v11/request') as (
  of: FetchOptions,
) => WireRequest<unknown>['request'];

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}
const { prototype: queue } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
const schedule = queue.scheduleCheckPendingRequests;
/** With nothing to send, kafkajs sets a timer to a moment long gone, of which Node warns on standard error. */
queue.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
};

interface MetadataAnswer {
  readonly topicMetadata: readonly { readonly partitionMetadata: readonly unknown[] }[];
}
const metadataResponse = require('kafkajs/src/protocol/requests/metadata/v6/response') as {
  parse: (answer: MetadataAnswer) => Promise<MetadataAnswer>;
};
const { parse: parseMetadata } = metadataResponse;
/** kafkajs takes nothing of an answer in which one partition has no leader, and never learns who leads the others. */
metadataResponse.parse = async (answer) => {
  const topicMetadata = answer.topicMetadata.map((topic) => ({ ...topic, partitionMetadata: [] }));
  await parseMetadata({ ...answer, topicMetadata });
  return answer;
};

/** From here on a buffer grows to what is needed, and no more. */
const LARGE_BYTES = 4_096;
/** kafkajs fills every buffer with zeros, and makes it a power of two: twice the work for all that is large, and for nothing. */
Encoder.prototype.ensureAvailable = function (this: WireEncoder, length: number) {
  const needed = this.offset + length;
  if (needed <= this.buf.length) return;
  const grown = Buffer.allocUnsafe(length < LARGE_BYTES ? 2 * needed : needed);
  this.buf.copy(grown, 0, 0, this.offset);
  this.buf = grown;
};

/** What a fetch asks for. */
export interface FetchOptions {
  readonly replicaId: -1;
  readonly isolationLevel: 0 | 1;
  readonly maxWaitTime: number;
  readonly minBytes: 1;
  readonly maxBytes: number;
  readonly rackId: '';
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { partition: number; fetchOffset: string; maxBytes: number }[];
  }[];
}

/** Decodes an answer of a broker. */
export function decoderOf(raw: Buffer): WireDecoder {
  return new Decoder(raw);
}

/** A request whose bytes are given. */
export function rawRequest(apiKey: number, apiVersion: number, bytes: Buffer): WireRequest<unknown>['request'] {
  const encoder = Object.assign(new Encoder(1), { buf: bytes, offset: bytes.length });
  return { apiKey, apiVersion, apiName: `api-${apiKey}`, encode: async () => encoder };
}

/** A produce request, version 7, whose bytes are given. */
export function produceRequest(bytes: Buffer): WireRequest<ProduceAnswer> {
  return { request: rawRequest(0, 7, bytes), response: produceResponse };
}

/** A fetch request, version 11. */
export function fetchRequest(options: FetchOptions): WireRequest<unknown>['request'] {
  return fetchV11(options);
}

/** Connections of their own to the brokers of `config`. */
export function createCluster(config: KafkaConfig): Cluster {
  const kafka = new Kafka(config);
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description?.includes('createCluster'));
  const create = (kafka as unknown as Record<symbol, (of: object) => Cluster>)[symbol!]!;
  return create({ metadataMaxAge: 300_000, allowAutoTopicCreation: false });
}
