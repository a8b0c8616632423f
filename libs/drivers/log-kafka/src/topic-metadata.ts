import { type Broker, decoderOf, rawRequest, type WireDecoder } from './internals.ts';

/** A topic as the brokers know it. */
export interface TopicMetadata {
  /** Random at creation; a topic that was deleted and made anew has another. 32 hex digits. */
  readonly id: string;
  readonly partitions: number;
}

const METADATA = 3;
const VERSION = 12;
const NO_ERROR = 0;

/**
 * Asks a broker for a topic, in a version of the protocol that knows topic ids. kafkajs speaks older ones only.
 *
 * Source: Kafka protocol guide, Metadata version 12 (flexible: compact strings and arrays, tagged fields).
 *
 * @returns `undefined` for a topic that is not there.
 */
export async function topicMetadata(broker: Broker, topic: string): Promise<TopicMetadata | undefined> {
  const response = { decode, parse: async (topics: Answer) => topics };
  const [found] = await broker.connectionPool.send<Answer>({
    request: rawRequest(METADATA, VERSION, encode(topic)),
    response,
  });
  if (found === undefined || found.errorCode !== NO_ERROR) return undefined;
  return { id: found.id, partitions: found.partitions };
}

type Answer = readonly { readonly errorCode: number; readonly id: string; readonly partitions: number }[];

function encode(topic: string): Buffer {
  const name = Buffer.from(topic);
  const noTags = Buffer.from([0]);
  // Lengths of compact strings and arrays are one more than what they are; topic names have at most 249 bytes.
  const topicBytes = Buffer.concat([Buffer.alloc(16), unsignedVarint(name.length + 1), name, noTags]);
  const flags = Buffer.from([0, 0]); // No creation of topics, no list of what we are allowed to do.
  return Buffer.concat([noTags, unsignedVarint(2), topicBytes, flags, noTags]);
}

function unsignedVarint(value: number): Buffer {
  return value < 0x80 ? Buffer.from([value]) : Buffer.from([(value & 0x7f) | 0x80, value >>> 7]);
}

async function decode(raw: Buffer): Promise<Answer> {
  const decoder = decoderOf(raw);
  decoder.readTaggedFields(); // Of the header.
  decoder.readInt32(); // Throttle time.
  decoder.readUVarIntArray(readBroker);
  decoder.readUVarIntString(); // Cluster id.
  decoder.readInt32(); // Controller id.
  return decoder.readUVarIntArray(readTopic);
}

function readBroker(decoder: WireDecoder): void {
  decoder.readInt32();
  decoder.readUVarIntString();
  decoder.readInt32();
  decoder.readUVarIntString();
  decoder.readTaggedFields();
}

function readTopic(decoder: WireDecoder): Answer[number] {
  const errorCode = decoder.readInt16();
  decoder.readUVarIntString();
  const id = decoder.readBytes(16).toString('hex');
  decoder.readBoolean();
  const partitions = decoder.readUVarIntArray(readPartition).length;
  decoder.readInt32();
  decoder.readTaggedFields();
  return { errorCode, id, partitions };
}

function readPartition(decoder: WireDecoder): void {
  decoder.readInt16();
  for (let field = 0; field < 3; field += 1) decoder.readInt32(); // Index, leader, leader epoch.
  const readId = (each: WireDecoder) => each.readInt32();
  for (let list = 0; list < 3; list += 1) decoder.readUVarIntArray(readId); // Replicas, in sync, offline.
  decoder.readTaggedFields();
}
