import { type AggregatorConfig, GlobalAggregator, LocalAggregator } from '@flyball/aggregator';
import {
  deadLettersCodec,
  partialsCodec,
  readRaw,
  type Tick,
  tracesCodec,
  type Window,
  windowsCodec,
} from '@flyball/contracts';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { DEATHS_MAX, laneName, LaneRunner, type LaneSpec, recordDeath, type TopicBodies } from '@flyball/runtime';
import { recordsOf, type TestSpan, traceRequest } from '@flyball/testing';

/** Raw partitions of every test. */
export const RAW = 3;
const LANES = 2;

function specsOf(config: AggregatorConfig): LaneSpec<unknown, TopicBodies>[] {
  const outlet = (topic: string, codec: object) => ({ topic, codec, partitions: LANES });
  const every = { behaviour: 'test', deadLetters: outlet('flyball.dead_letters', deadLettersCodec) };
  const traces = Array.from({ length: RAW }, (_, lane) => `otlp_spans/${lane}`);
  const origins = { traces, metrics: [], logs: [], edges: [] };
  return [
    {
      ...every,
      name: 'local',
      create: (lane: number) =>
        new LocalAggregator(config, { kind: 'traces', from: `otlp_spans/${lane}`, lanes: LANES }),
      inbox: { topic: 'otlp_spans', codec: { encode: () => new Uint8Array(0), decode: readRaw }, foreign: true },
      outboxes: {
        'flyball.partials': outlet('flyball.partials', partialsCodec),
        'flyball.traces': outlet('flyball.traces', tracesCodec),
      },
    },
    {
      ...every,
      name: 'global',
      create: (lane: number) =>
        new GlobalAggregator(config, { lane: laneName('global', 'flyball.partials', lane), origins }),
      inbox: { topic: 'flyball.partials', codec: partialsCodec, foreign: false },
      outboxes: { 'flyball.windows': outlet('flyball.windows', windowsCodec) },
    },
  ] as unknown as LaneSpec<unknown, TopicBodies>[];
}

/** The two phases over a memory log, with time in the test's hands. */
export class TwoPhases {
  readonly clock = { nowMs: 0 };
  readonly log = new MemoryLog(() => this.clock.nowMs);
  readonly #objects = new MemoryObjects();
  readonly #specs: readonly LaneSpec<unknown, TopicBodies>[];
  #runners: LaneRunner<unknown, TopicBodies>[] = [];

  private constructor(config: AggregatorConfig) {
    this.#specs = specsOf(config);
  }

  static async open(config: AggregatorConfig): Promise<TwoPhases> {
    const bench = new TwoPhases(config);
    await bench.log.create('otlp_spans', RAW);
    for (const topic of ['flyball.partials', 'flyball.traces', 'flyball.windows', 'flyball.dead_letters'])
      await bench.log.create(topic, LANES);
    await bench.#open();
    return bench;
  }

  async #open(): Promise<void> {
    this.#runners = [];
    for (const [index, spec] of this.#specs.entries()) {
      for (let lane = 0; lane < (index === 0 ? RAW : LANES); lane += 1) {
        this.#runners.push(await LaneRunner.open(spec, { log: this.log, objects: this.#objects }, lane));
      }
    }
  }

  /** Processes what there is, saves every lane and opens it again. */
  async restart(): Promise<void> {
    await this.run();
    for (const runner of this.#runners) await runner.checkpoint();
    await this.#open();
  }

  /** Leaves an entry out, as after too many deaths at it: the next one of that lane, when it is opened again. */
  async skipNext(lane: string): Promise<void> {
    await this.run();
    const { offset } = this.#runners.find((runner) => runner.lane === lane)!;
    for (let death = 0; death < DEATHS_MAX; death += 1) await recordDeath(this.#objects, { lane, offset }, `${death}`);
    await this.restart();
  }

  async send(partition: number, spans: readonly TestSpan[], tenant = 'default'): Promise<void> {
    const headers = { 'flyball-tenant': tenant };
    await this.log.append({ topic: 'otlp_spans', partition }, [{ key: '', headers, value: traceRequest(spans) }]);
  }

  /** A tick to every raw partition but those that are left out. */
  async tick(
    atMs: number,
    except: readonly number[] = [],
    refused: Record<string, number> = {},
    more: Partial<Tick> = {},
  ): Promise<void> {
    this.clock.nowMs = atMs;
    for (let partition = 0; partition < RAW; partition += 1) {
      if (except.includes(partition)) continue;
      const headers = { 'flyball-tick': JSON.stringify({ refused, ...more }) };
      await this.log.append({ topic: 'otlp_spans', partition }, [{ key: '', headers, value: new Uint8Array(0) }]);
    }
  }

  /** Ticks each second of `[fromMs, untilMs]`. */
  async ticks(fromMs: number, untilMs: number, except: readonly number[] = []): Promise<void> {
    for (let atMs = fromMs; atMs <= untilMs; atMs += 1_000) await this.tick(atMs, except);
  }

  /** Runs everything that there is to run. */
  async run(): Promise<void> {
    for (let read = 1; read > 0;) {
      read = 0;
      for (const runner of this.#runners) read += await runner.pump();
    }
  }

  /** Runs everything and gives all that `global` has said. */
  async messages() {
    await this.run();
    const lists = await Promise.all(
      Array.from({ length: LANES }, (_, partition) => recordsOf(this.log, { topic: 'flyball.windows', partition })),
    );
    return lists.flat().map((record) => windowsCodec.decode(record));
  }

  async windows(): Promise<Window[]> {
    const windows = (await this.messages()).filter((message) => message.type === 'window');
    return windows.sort((a, b) => a.startMs - b.startMs || (a.subject.service < b.subject.service ? -1 : 1));
  }
}
