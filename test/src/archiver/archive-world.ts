import { Archiver, ArchiverConfig } from '@flyball/archiver';
import { TENANT_HEADER, TICK_HEADER, type Topic, TOPICS, TOPOLOGY } from '@flyball/contracts';
import { EMPTY_BYTES, Prng, UnavailableError, utf8 } from '@flyball/core';
import { createLogger } from '@flyball/host';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import {
  CheckpointStore,
  createTopics,
  laneName,
  type Log,
  Marks,
  type NewRecord,
  type Objects,
  type Partition,
  type StoredRecord,
} from '@flyball/runtime';

/** Start of time in these tests: in the middle of an hour. */
const START_MS = 1_800_000_000_000;
const PARTITIONS = 2;
/** Topics that the world writes: raw, protobuf, JSON, facts that are kept. */
export const WRITTEN: readonly Topic[] = ['otlp_spans', 'flyball.partials', 'flyball.signals', 'flyball.control'];
/** Small, so that little data makes many segments. */
export const SMALL = ArchiverConfig.parse({
  ...{ segmentMs: 10_000, segmentBytes: 6_000, idleCutMs: 5_000, bufferBytes: 3_000 },
  ...{ rawLogMs: 20_000, derivedLogMs: 40_000 },
});

/** What goes wrong with an object store. */
export interface StoreFaults {
  /** How often an operation fails before, or after, it has taken effect; 0 to 1. */
  fails: number;
  /** How often a put stores something else. */
  garbles: number;
}

/** An archiver that can be killed: from then on nothing that it asks for happens. */
interface Living {
  readonly archiver: Archiver;
  /** Operations until it dies. */
  life: { left: number };
}

/** A log that grows, lanes that put checkpoints, archivers that die, and the truth. */
export class ArchiveWorld {
  readonly clock = { nowMs: START_MS };
  readonly log = new MemoryLog(() => this.clock.nowMs);
  /** As they are, without faults. */
  readonly objects: Objects;
  readonly faults: StoreFaults = { fails: 0, garbles: 0 };
  /** Every record that was ever appended, by partition. */
  readonly truth = new Map<string, StoredRecord[]>();
  readonly report = { kills: 0, faults: 0 };
  readonly #dice: Prng;
  readonly #config: ArchiverConfig;
  readonly #archive: Objects;
  #living: Living[] = [];

  /** @param archive - the same store, as archivers reach it: it may fail by itself. */
  constructor(seed: number, config = SMALL, objects: Objects = new MemoryObjects(), archive = objects) {
    this.#dice = new Prng(seed);
    this.#config = config;
    this.objects = objects;
    this.#archive = archive;
  }

  async open(): Promise<void> {
    await createTopics(this.log, { lanes: PARTITIONS, rawPartitions: PARTITIONS });
    for (const topic of TOPICS) for (const at of places(topic)) this.truth.set(keyOf(at), []);
  }

  /** Appends some records anywhere, a moment later. */
  async grow(): Promise<void> {
    this.clock.nowMs += this.#dice.chance(0.02) ? 30_000 : this.#dice.below(1_500);
    const at = { topic: this.#dice.pick(WRITTEN), partition: this.#dice.below(PARTITIONS) };
    const records = Array.from({ length: 1 + this.#dice.below(4) }, () => this.#record(at.topic));
    const { firstOffset, appendedAtMs } = await this.log.append(at, records);
    const known = this.truth.get(keyOf(at))!;
    records.forEach((record, index) => known.push({ ...record, offset: firstOffset + index, appendedAtMs }));
  }

  /** A lane comes further, and says so. */
  async checkpoint(): Promise<void> {
    const topic = this.#dice.pick(WRITTEN);
    const partition = this.#dice.below(PARTITIONS);
    for (const reader of TOPOLOGY[topic].readers as readonly string[]) {
      if (reader === 'actuator' || reader === 'api') continue;
      const lane = laneName(reader, topic, partition);
      const { endOffset } = await this.log.range({ topic, partition });
      const from = (await new CheckpointStore(this.objects).oldest(lane))?.offset ?? 0;
      const offset = from + this.#dice.below(endOffset - from + 1);
      await this.putCheckpoint(lane, { topic, partition }, offset);
    }
  }

  /** Puts a checkpoint of a lane, of this topic or of another of the same name. */
  async putCheckpoint(lane: string, { topic }: Partition, offset: number, topicId?: string): Promise<void> {
    const id = topicId ?? (await this.log.describe(topic)).id;
    const about = { lane, epoch: 0, offset, topicId: id, last: null, behaviour: 'b', state: EMPTY_BYTES };
    await new CheckpointStore(this.objects).put({ ...about, marks: new Marks().save() });
  }

  /** One archiver does a little: a batch of each partition, or its housekeeping. Now and then one dies, and another starts. */
  async work(deaths: number, most = 2): Promise<void> {
    if (this.#living.length < most && (this.#living.length === 0 || this.#dice.chance(0.1))) {
      await this.#start(this.#dice.chance(deaths) ? 1 + this.#dice.below(60) : Infinity);
    }
    const living = this.#dice.pick(this.#living);
    if (this.#dice.chance(0.3)) await living.archiver.tidy();
    else await living.archiver.round();
    if (living.life.left > 0) return;
    this.report.kills += 1;
    this.#living = this.#living.filter((each) => each !== living);
  }

  /** Ends all faults, kills all archivers, and lets a new one archive everything. */
  async settle(): Promise<void> {
    Object.assign(this.faults, { fails: 0, garbles: 0 });
    this.#living = [];
    this.clock.nowMs += this.#config.segmentMs + this.#config.idleCutMs;
    await this.#start(Infinity);
    while (await this.#living[0]!.archiver.round());
    await this.#living[0]!.archiver.round();
  }

  /** Trims and deletes, as whoever lives sees fit. */
  async tidy(): Promise<void> {
    await this.#living[0]!.archiver.tidy();
  }

  async #start(left: number): Promise<void> {
    const life = { left };
    const archiver = new Archiver(this.#config, {
      log: this.#mortal(this.log, life, new Set(['describe', 'join'])),
      checkpoints: this.#mortal<Objects>(this.objects, life),
      archive: this.#faulty(this.#mortal<Objects>(this.#archive, life)),
      logger: createLogger('silent'),
      nowMs: () => this.clock.nowMs,
    });
    await archiver.join();
    this.#living.push({ archiver, life });
  }

  /** Passes every call on while its owner lives. */
  #mortal<Port extends Log | Objects>(
    port: Port,
    life: { left: number },
    always: ReadonlySet<string> = new Set(),
  ): Port {
    return new Proxy(port, {
      get: (target, name: string) => {
        const method = target[name as keyof Port] as (...args: unknown[]) => unknown;
        return async (...args: unknown[]) => {
          if (!always.has(name)) life.left -= 1;
          if (life.left <= 0) throw new UnavailableError('LOG_CLOSED', 'planted: killed');
          return method.apply(target, args);
        };
      },
    });
  }

  #faulty(objects: Objects): Objects {
    const draw = (): void => {
      if (!this.#dice.chance(this.faults.fails)) return;
      this.report.faults += 1;
      throw new UnavailableError('OBJECTS_UNAVAILABLE', 'planted: the store is away');
    };
    const around = async <T>(work: () => Promise<T>): Promise<T> => {
      draw();
      const answer = await work();
      draw();
      return answer;
    };
    return {
      put: (name, value) => around(() => objects.put(name, this.#garbled(value))),
      create: (name, value) => around(() => objects.create(name, this.#garbled(value))),
      get: (name) => around(() => objects.get(name)),
      list: (prefix) => around(() => objects.list(prefix)),
      delete: (name) => around(() => objects.delete(name)),
    };
  }

  #garbled(value: Uint8Array): Uint8Array {
    return this.#dice.chance(this.faults.garbles) ? value.subarray(1) : value;
  }

  #record(topic: string): NewRecord {
    const dice = this.#dice;
    const tenant = dice.pick(['default', 'acme', 'weiße Ware / 1']);
    const bytes = Uint8Array.from({ length: dice.below(400) }, () => dice.below(256));
    if (topic === 'otlp_spans') {
      if (dice.chance(0.3)) return { key: '', headers: { [TICK_HEADER]: '{"refused":{}}' }, value: EMPTY_BYTES };
      return { key: '', headers: { [TENANT_HEADER]: tenant, 'x-own': dice.hex(8) }, value: bytes };
    }
    const key = topic === 'flyball.control' ? tenant : `${encodeURIComponent(tenant)}/prod`;
    const json = { type: 'word', tenant, text: `${dice.hex(20)} \u2028 "{` };
    const odd = dice.pick([
      '{"a":1, "b":2}',
      '{"a":1,"a":2}',
      '{"big":12345678901234567890}',
      '{"2":1,"1":2}',
      '{',
      '{}',
    ]);
    const value = topic === 'flyball.partials' ? bytes : utf8(dice.chance(0.2) ? odd : JSON.stringify(json));
    return { key, headers: { 'flyball-provenance': dice.hex(10) }, value };
  }
}

/** Partitions of a topic. */
export function places(topic: string): readonly Partition[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
}

/** Name of a partition in the truth. */
export function keyOf({ topic, partition }: Partition): string {
  return `${topic}/${partition}`;
}
