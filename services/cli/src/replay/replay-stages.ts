import {
  type Command,
  commandsCodec,
  controlCodec,
  type ControlMessage,
  DEFAULT_TENANT,
  type Incident,
  incidentsCodec,
  type Outcome,
  outcomesCodec,
  type Signal,
  signalsCodec,
  type Subject,
  subjectKey,
  targetKey,
  type Topic,
  TOPICS,
  type Window,
  windowsCodec,
} from '@flyball/contracts';
import { laneOf } from '@flyball/core';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import {
  createTopics,
  LaneRunner,
  type NewRecord,
  type Partition,
  type StoredRecord,
  type TopicBodies,
} from '@flyball/runtime';
import { type LineConfig, lineSpecs } from '@flyball/standalone';

/** Whom a replay tells what was found and decided. */
export interface ReplaySinks {
  readonly window: (window: Window, more: object) => void;
  readonly signal: (signal: Signal) => void;
  readonly incident: (incident: Incident) => void;
  readonly command: (command: Command) => void;
}

/** A policy to decide by, or an objective to judge by. */
export type ReplayWord = Unsaid<'policy'> | Unsaid<'slo'>;
type Unsaid<Type extends ControlMessage['type']> = Omit<
  Extract<ControlMessage, { type: Type }>,
  'wordId' | 'actor' | 'tenant'
>;

/** How the stages of a replay are set up. */
export interface ReplaySetup {
  readonly config: LineConfig;
  /** Of every topic. In a replay of a file one is enough: results do not depend on how many there are. */
  readonly partitions: number;
  /** Where time starts, ms. */
  readonly startMs: number;
  readonly policies: readonly ReplayWord[];
  readonly sinks: ReplaySinks;
  /** Told of every window that holds a span, before it is written. What it answers is written too; `undefined`: leave it out. */
  readonly onWindow?: (window: Window) => Promise<object | undefined>;
}

/**
 * All stages of the line over a log in memory, in the time of the data. Same stages, same runner; commands are decided, and
 * answered `rejected(replay)`: nothing is ever carried out.
 */
export class ReplayStages {
  readonly #setup: ReplaySetup;
  /** Log time, ms. Whoever feeds the log sets it; it never goes back. */
  nowMs: number;
  readonly #log = new MemoryLog(() => this.nowMs);
  readonly #runners: LaneRunner<unknown, TopicBodies>[] = [];
  readonly #read = new Map<string, number>();
  readonly #bound = new Set<string>();

  private constructor(setup: ReplaySetup) {
    this.#setup = setup;
    this.nowMs = setup.startMs;
  }

  /** Opens the stages, with the policies on record and automation on. */
  static async open(setup: ReplaySetup): Promise<ReplayStages> {
    const { config, partitions, policies } = setup;
    const stages = new ReplayStages(setup);
    await createTopics(stages.#log, { lanes: partitions, rawPartitions: partitions });
    const words = { tenant: DEFAULT_TENANT, actor: 'replay', wordId: 'replay' };
    for (const policy of policies) await stages.#word({ ...words, ...policy });
    await stages.#word({ type: 'resume', ...words, reason: 'replay' });
    const objects = new MemoryObjects();
    for (const spec of lineSpecs(config, partitions, 'replay')) {
      for (let partition = 0; partition < partitions; partition += 1) {
        stages.#runners.push(await LaneRunner.open(spec, { log: stages.#log, objects }, partition));
      }
    }
    return stages;
  }

  /** Appends raw telemetry at the present log time. */
  async addRaw(to: Partition, record: NewRecord): Promise<void> {
    await this.#log.append(to, [record]);
  }

  /** Tells of calls that no trace shows. */
  async tellTopology(environment: string, edges: readonly { caller: string; callee: string }[]): Promise<void> {
    const about = { tenant: DEFAULT_TENANT, actor: 'replay', wordId: `topology ${environment}` };
    const list = edges.map(({ caller, callee }) => ({ caller, callee }));
    await this.#word({ type: 'topology', ...about, environment, edges: list });
  }

  /** In a recording every service can be decided upon: its target is a stand-in that nothing reaches. */
  async bind({ tenant, environment, service }: Subject): Promise<void> {
    const key = subjectKey({ tenant, environment, service });
    if (this.#bound.has(key)) return;
    this.#bound.add(key);
    const target = { driver: 'replay', name: service };
    await this.#word({
      type: 'binding',
      tenant,
      actor: 'replay',
      wordId: `bind ${service}`,
      environment,
      service,
      target,
    });
  }

  /** Pumps all lanes until nothing is left, writes what is final, and lets go of what was read. */
  async run(): Promise<void> {
    for (let read = 1; read > 0;) {
      read = 0;
      for (const runner of this.#runners) read += await runner.pump();
      for (const record of await this.#take('remediation.commands')) await this.#answer(commandsCodec.decode(record));
    }
    // What is said from here on was not read yet.
    const read = TOPICS.flatMap((topic) => this.#places(topic));
    const ends = await Promise.all(read.map((at) => this.#log.range(at)));
    for (const record of await this.#take('flyball.windows')) await this.#writeWindow(record);
    for (const record of await this.#take('flyball.signals')) {
      const message = signalsCodec.decode(record);
      if (message.type === 'signal') this.#setup.sinks.signal(message);
    }
    for (const record of await this.#take('flyball.incidents')) {
      this.#setup.sinks.incident(incidentsCodec.decode(record));
    }
    for (const [index, at] of read.entries()) await this.#log.trim(at, ends[index]!.endOffset);
  }

  async #word(word: ControlMessage): Promise<void> {
    await this.#append('flyball.control', word.tenant, controlCodec.encode(word));
  }

  async #answer(command: Command): Promise<void> {
    this.#setup.sinks.command(command);
    const { commandId, target, incidentId } = command;
    const nothing = { run: 'replay', by: 'refusal' as const, before: '', after: '' };
    const outcome: Outcome = {
      ...{ type: 'outcome', commandId, target, incidentId, status: 'rejected', reason: 'replay' },
      ...nothing,
      detail: 'a recording cannot be acted on',
      atMs: this.nowMs,
    };
    const headers = outcomesCodec.headers(outcome);
    await this.#append('remediation.outcomes', targetKey(target), outcomesCodec.encode(outcome), headers);
  }

  async #writeWindow(record: StoredRecord): Promise<void> {
    const message = windowsCodec.decode(record);
    if (message.type !== 'window' || message.spans + message.lateSpans + message.earlySpans === 0) return;
    const { onWindow = async () => ({}), sinks } = this.#setup;
    const more = await onWindow(message);
    if (more !== undefined) sinks.window(message, more);
  }

  /** Records of a topic since the last time. */
  async #take(topic: Topic): Promise<readonly StoredRecord[]> {
    const taken: StoredRecord[] = [];
    for (const at of this.#places(topic)) {
      const key = `${topic}/${at.partition}`;
      for (const record of await this.#log.read(at, this.#read.get(key) ?? 0, Infinity)) {
        taken.push(record);
        this.#read.set(key, record.offset + 1);
      }
    }
    return taken;
  }

  #places(topic: Topic): readonly Partition[] {
    return Array.from({ length: this.#setup.partitions }, (_, partition) => ({ topic, partition }));
  }

  /** Appends a fact of ours to the lane of its key. */
  async #append(topic: Topic, key: string, value: Uint8Array, headers: Record<string, string> = {}): Promise<void> {
    const partition = laneOf(key, this.#setup.partitions);
    await this.#log.append({ topic, partition }, [{ key, headers, value }]);
  }
}
