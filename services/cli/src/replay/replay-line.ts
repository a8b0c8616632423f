import {
  type Command,
  commandsCodec,
  controlCodec,
  DEFAULT_TENANT,
  incidentsCodec,
  type Outcome,
  outcomesCodec,
  TENANT_HEADER,
  targetKey,
  TICK_HEADER,
  type Topic,
  TOPICS,
  windowsCodec,
} from '@flyball/contracts';
import { EMPTY_BYTES, SECOND_MS, slotStartMs } from '@flyball/core';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { createTopics, LaneRunner, type StoredRecord, type TopicBodies } from '@flyball/runtime';
import { LINE_DEFAULTS, lineSpecs } from '@flyball/standalone';

/** In a replay one lane is enough: results do not depend on how many there are. */
const LANES = 1;

/** Where a replay writes what was decided, one line each. */
export interface ReplaySinks {
  readonly windows: (line: string) => void;
  readonly incidents: (line: string) => void;
  readonly commands: (line: string) => void;
}

/**
 * One environment of a recording, as a log of its own in the time of its data. Same stages, same runner; commands are
 * decided, and answered `rejected(replay)`: nothing is ever carried out.
 */
export class ReplayLine {
  readonly #environment: string;
  readonly #sinks: ReplaySinks;
  #nowMs = 0;
  readonly #log = new MemoryLog(() => this.#nowMs);
  readonly #runners: LaneRunner<unknown, TopicBodies>[] = [];
  readonly #read = new Map<Topic, number>();
  readonly #bound = new Set<string>();

  private constructor(environment: string, sinks: ReplaySinks) {
    this.#environment = environment;
    this.#sinks = sinks;
  }

  /** Opens an environment whose first item is at `startMs`. `policies` are YAML texts with their names and digests. */
  static async open(
    about: { readonly environment: string; readonly startMs: number },
    policies: readonly { name: string; text: string; digest: string }[],
    sinks: ReplaySinks,
  ): Promise<ReplayLine> {
    const line = new ReplayLine(about.environment, sinks);
    line.#nowMs = slotStartMs(about.startMs, SECOND_MS);
    await createTopics(line.#log, { lanes: LANES, rawPartitions: LANES });
    const words = { tenant: DEFAULT_TENANT, actor: 'replay', wordId: 'replay' };
    for (const policy of policies)
      await line.#append('flyball.control', controlCodec.encode({ type: 'policy', ...words, ...policy }));
    await line.#append('flyball.control', controlCodec.encode({ type: 'resume', ...words, reason: 'replay' }));
    for (const spec of lineSpecs(LINE_DEFAULTS, LANES, 'replay')) {
      line.#runners.push(await LaneRunner.open(spec, { log: line.#log, objects: new MemoryObjects() }, 0));
    }
    await line.#tick();
    return line;
  }

  /** Appends a request at its log time, which never goes back. Seconds in between get their ticks. */
  async add(request: Uint8Array, atMs: number, services: Iterable<string>): Promise<void> {
    await this.#advance(atMs);
    for (const service of services) await this.#bind(service);
    await this.#append('otlp_spans', request, { [TENANT_HEADER]: DEFAULT_TENANT });
  }

  /** Lets time run until everything that was added is in a closed window. */
  async finish(lastItemMs: number): Promise<void> {
    const { windowMs, graceMs } = LINE_DEFAULTS.aggregator;
    await this.#advance(Math.max(lastItemMs, this.#nowMs) + windowMs + graceMs + 2 * SECOND_MS);
    await this.#run();
  }

  async #advance(atMs: number): Promise<void> {
    for (let next = slotStartMs(this.#nowMs, SECOND_MS) + SECOND_MS; next <= atMs; next += SECOND_MS) {
      this.#nowMs = next;
      await this.#tick();
      // Every window is run as soon as it can close, so that decisions see the time that they would have seen.
      if (next % LINE_DEFAULTS.aggregator.windowMs === 0) await this.#run();
    }
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  async #tick(): Promise<void> {
    await this.#append('otlp_spans', EMPTY_BYTES, { [TICK_HEADER]: JSON.stringify({ refused: {} }) });
  }

  /** In a recording every service can be decided upon: its target is a stand-in that nothing reaches. */
  async #bind(service: string): Promise<void> {
    if (this.#bound.has(service)) return;
    this.#bound.add(service);
    const about = { tenant: DEFAULT_TENANT, actor: 'replay', wordId: `bind ${service}` };
    const target = { driver: 'replay', name: service };
    await this.#append(
      'flyball.control',
      controlCodec.encode({ type: 'binding', ...about, environment: this.#environment, service, target }),
    );
  }

  /** Pumps all lanes until nothing is left, writes what is final, and lets go of what was read. */
  async #run(): Promise<void> {
    for (let read = 1; read > 0;) {
      read = 0;
      for (const runner of this.#runners) read += await runner.pump();
      for (const record of await this.#take('remediation.commands')) await this.#answer(commandsCodec.decode(record));
    }
    for (const record of await this.#take('flyball.windows')) this.#writeWindow(record);
    for (const record of await this.#take('flyball.incidents')) {
      this.#sinks.incidents(JSON.stringify(incidentsCodec.decode(record)));
    }
    for (const topic of TOPICS) {
      const { endOffset } = await this.#log.range({ topic, partition: 0 });
      await this.#log.trim({ topic, partition: 0 }, endOffset);
    }
  }

  async #answer(command: Command): Promise<void> {
    this.#sinks.commands(JSON.stringify(command));
    const { commandId, target, incidentId } = command;
    const nothing = {
      run: 'replay',
      by: 'refusal' as const,
      before: '',
      after: '',
      detail: 'a recording cannot be acted on',
    };
    const outcome: Outcome = {
      type: 'outcome',
      commandId,
      target,
      incidentId,
      status: 'rejected',
      reason: 'replay',
      ...nothing,
      atMs: this.#nowMs,
    };
    await this.#append(
      'remediation.outcomes',
      outcomesCodec.encode(outcome),
      outcomesCodec.headers(outcome),
      targetKey(target),
    );
  }

  #writeWindow(record: StoredRecord): void {
    const message = windowsCodec.decode(record);
    if (message.type !== 'window' || message.spans + message.lateSpans + message.earlySpans === 0) return;
    const { subject, startMs, endMs, coverage, spans, lateSpans, earlySpans } = message;
    const series = message.series.map(({ view, name, kind, count, errors, sumUs, minUs, maxUs }) => ({
      view,
      name,
      kind,
      count,
      errors,
      sumUs,
      minUs,
      maxUs,
    }));
    const { environment, service } = subject;
    this.#sinks.windows(
      JSON.stringify({ environment, service, startMs, endMs, coverage, spans, lateSpans, earlySpans, series }),
    );
  }

  /** Records of a topic since the last time. */
  async #take(topic: Topic): Promise<readonly StoredRecord[]> {
    const from = { topic, partition: 0 };
    const records = await this.#log.read(from, this.#read.get(topic) ?? 0, Infinity);
    this.#read.set(topic, (records.at(-1)?.offset ?? (this.#read.get(topic) ?? 0) - 1) + 1);
    return records;
  }

  async #append(topic: Topic, value: Uint8Array, headers: Record<string, string> = {}, key = ''): Promise<void> {
    await this.#log.append({ topic, partition: 0 }, [{ key, headers, value }]);
  }
}
