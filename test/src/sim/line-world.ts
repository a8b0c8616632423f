import { Actuator, ActuatorConfig } from '@flyball/actuator';
import { AggregatorConfig } from '@flyball/aggregator';
import {
  controlCodec,
  type ControlMessage,
  outcomesCodec,
  type OutcomesMessage,
  TICK_HEADER,
} from '@flyball/contracts';
import { EMPTY_BYTES, HOUR_MS, laneOf, Prng, UnavailableError } from '@flyball/core';
import { DetectorConfig } from '@flyball/detector';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { PlannerConfig } from '@flyball/planner';
import {
  type AnyLaneSpec,
  createTopics,
  formatProvenance,
  Marks,
  type NewRecord,
  PROVENANCE_HEADER,
  provenanceOf,
  writerOrigin,
} from '@flyball/runtime';
import { encodeLogsJson, encodeMetricsJson } from '@flyball/otlp';
import { lineSpecs } from '@flyball/standalone';
import {
  type AppendFault,
  type FaultRates,
  FaultyLog,
  recordsOf,
  stage,
  type TestSpan,
  traceRequest,
  World,
} from '@flyball/testing';
import { Operator } from './operator.ts';
import { LIVELY_POLICIES, POLICIES } from './story-policies.ts';
import { idsOf, logsOf, metricsOf } from './story-telemetry.ts';
import { WatchedTarget } from './watched-target.ts';

/** Partitions of every topic in the simulation. */
export const LANES = 4;
/** Start of simulated time. */
const BASE_MS = 1_700_000_000_000;
const FAULTS: readonly AppendFault[] = ['lost', 'prefix', 'unacked', 'late', 'full'];
const SERVICES = ['web', 'checkout', 'payment', 'search', 'cart', 'inventory'];

/** Settings of the simulated line: the demo's. */
export const SIM_CONFIG = {
  aggregator: AggregatorConfig.parse({ windowMs: 2_000, graceMs: 1_000, settleMs: 2_000 }),
  detector: DetectorConfig.parse({ warmupWindows: 5 }),
  planner: PlannerConfig.parse({ vetoToleranceMs: 5_000 }),
};

/** Every processor of the simulated line. */
export function simulatedSpecs(): readonly AnyLaneSpec[] {
  return lineSpecs(SIM_CONFIG, LANES, 'sim');
}

/** What happens in a simulated story, in seconds after its start; the same in every run of a seed. */
export interface Story {
  readonly seconds: number;
  /** A release comes at this second. */
  readonly deployAt: number;
  /** How its requests fail, 0 to 1. */
  readonly canaryErrors: number;
  /** Whether the order to roll back changes what is sent: not, where two runs are to be compared. */
  readonly obeys: boolean;
  /** From this second on all of checkout fails as much as this. */
  readonly brokenAt: number;
  readonly stableErrors: number;
  /** From this second on web gets three times as many requests, slow and failing, until it was throttled once. */
  readonly overloadAt: number;
  /** What checkout promises of failures from the start on, and from the middle of the story on, 0 to 1; none: nothing. */
  readonly promises: readonly [first: number, then: number] | null;
  /** No telemetry within `[from, until)`, though the log goes on. */
  readonly dark: readonly [number, number];
  /** The log itself stands still within `[from, until)`. */
  readonly hole: readonly [number, number];
  /** The clock of one raw partition's broker is off by so much within `[from, until)`, ms. */
  readonly skew: { readonly from: number; readonly until: number; readonly byMs: number };
  /** Whether senders and brokers misbehave: clocks of senders are far off, requests are sent again, records are redelivered. */
  readonly isUnruly: boolean;
  /** Whether operators say words at random times, instances fail, levels jump, and a person is asked. */
  readonly isLively: boolean;
  /** From this second on one instance of cart fails, and its level of load jumps. */
  readonly badInstanceAt: number;
  /** Seconds after the last telemetry in which the log goes on, so that every window closes. */
  readonly tailSeconds: number;
}

/** A healthy story, to be changed where it matters. */
export const QUIET: Story = {
  seconds: 80,
  deployAt: 1_000,
  canaryErrors: 0,
  obeys: false,
  brokenAt: 1_000,
  stableErrors: 0.002,
  overloadAt: 1_000,
  promises: null,
  dark: [1_000, 1_000],
  hole: [1_000, 1_000],
  skew: { from: 1_000, until: 1_000, byMs: 0 },
  isUnruly: false,
  isLively: false,
  badInstanceAt: 1_000,
  tailSeconds: 0,
};
/** The raw partition whose broker may have another time. */
const SKEWED = 1;
/** What is redelivered is among the newest so many records of its partition. */
const REDELIVERED_AMONG = 20;

/** A finished run. */
export interface LineRun {
  readonly log: MemoryLog;
  readonly world: World;
  readonly target: WatchedTarget;
}

/** The simulated deployment of the whole line, with actuators that die and wake as zombies. */
export class LineWorld {
  readonly clock = { nowMs: BASE_MS };
  readonly log = new MemoryLog(() => this.clock.nowMs);
  readonly target = new WatchedTarget(() => this.clock.nowMs);
  readonly #dice: Prng;
  readonly #rates: FaultRates;
  readonly #sequences = new Map<string, number>();
  #faulty!: FaultyLog;
  #world!: World;
  #actuators: Actuator[] = [];
  #isRelieved = false;
  #operator: Operator | undefined;

  private constructor(seed: number, rates: FaultRates) {
    this.#dice = new Prng(seed ^ 0x11fe);
    this.#rates = rates;
  }

  /** Runs a story from its seed. Facts are the same whatever the rates are. */
  static async run(seed: number, rates: FaultRates, story: Story): Promise<LineRun> {
    const world = new LineWorld(seed, rates);
    await world.#open();
    await world.#tell(seed, story);
    await world.#faulty.heal();
    const calm: FaultRates = { zombie: 0, crash: 0, checkpoint: 0.05 };
    // What is released gradually has four steps to go, one a round.
    for (let round = 0; round < (story.isLively ? 6 : 3); round += 1) {
      await world.#world.run(calm);
      world.clock.nowMs += 30_000; // Claims of the dead run out.
      for (const actuator of world.#actuators)
        for (const partition of actuator.partitions) while (await partition.pump());
    }
    await world.#world.run(calm);
    return { log: world.log, world: world.#world, target: world.target };
  }

  async #open(): Promise<void> {
    await createTopics(this.log, { lanes: LANES, rawPartitions: LANES });
    const ratio = this.#rates.crash > 0 ? 0.05 : 0;
    const draw = () => (this.#dice.chance(ratio) ? this.#dice.pick(FAULTS) : 'none');
    this.#faulty = new FaultyLog(this.log, draw, () => this.#dice.chance(ratio / 2));
    const stages = simulatedSpecs().map((spec) => stage(spec, LANES));
    this.#world = new World(stages, { log: this.#faulty, objects: new MemoryObjects() }, this.#dice);
    await this.#openActuator();
  }

  async #openActuator(): Promise<void> {
    const config = ActuatorConfig.parse({ rampStepMs: 1_000 });
    const clock = () => this.clock.nowMs;
    const ports = {
      log: this.#faulty,
      drivers: [this.target],
      pauseFile: '/nowhere/PAUSE',
      wallMs: clock,
      monotonicMs: clock,
    };
    this.#actuators.push(await Actuator.open(config, ports));
  }

  /** Words first, then second by second: telemetry, ticks, and as many steps of the world as the dice allow. */
  async #tell(seed: number, story: Story): Promise<void> {
    const about = { actor: 'sim', tenant: 'default' };
    const policies = story.isLively ? LIVELY_POLICIES : POLICIES;
    if (story.isLively) this.#operator = new Operator(seed, this.log);
    for (const policy of policies) await this.#word({ type: 'policy', wordId: policy.name, ...about, ...policy });
    for (const name of ['checkout', 'web', 'cart']) {
      const target = { driver: 'fake', name };
      await this.#word({ type: 'binding', wordId: name, ...about, environment: 'demo', service: name, target });
      this.target.open('demo', name, 'v1');
    }
    await this.#word({ type: 'resume', wordId: 'w3', ...about, reason: 'sim' });
    await this.#promise(story.promises?.[0]);
    const facts = new Prng(seed);
    for (let second = 1; second <= story.seconds + story.tailSeconds; second += 1) {
      this.clock.nowMs = BASE_MS + second * 1_000;
      if (second === story.deployAt) {
        this.target.deploy('demo', 'checkout', 'v2');
        const change = {
          type: 'change',
          wordId: 'w4',
          ...about,
          changeId: 'c1',
          environment: 'demo',
          service: 'checkout',
        } as const;
        await this.#word({ ...change, kind: 'deploy', version: 'v2', summary: 'v2' });
      }
      if (second === Math.floor(story.seconds / 2)) await this.#promise(story.promises?.[1]);
      for (const word of (await this.#operator?.words(this.clock.nowMs)) ?? []) await this.#word(word);
      const isHole = second >= story.hole[0] && second < story.hole[1];
      if (!isHole) await this.#telemetry(facts, second, story);
      await this.#work();
    }
  }

  /** Failures and slow requests of checkout, by one share. */
  async #promise(objectiveRatio: number | undefined): Promise<void> {
    if (objectiveRatio === undefined) return;
    const about = { actor: 'sim', tenant: 'default', environment: 'demo', service: 'checkout' } as const;
    const promise = { type: 'slo', ...about, objectiveRatio, windowMs: 30 * 24 * HOUR_MS } as const;
    const wordId = `slo ${objectiveRatio}`;
    await this.#word({ ...promise, wordId, sli: 'errors' });
    await this.#word({ ...promise, wordId: `${wordId} latency`, sli: 'latency', thresholdMs: 25 });
  }

  /** Ticks to every partition, with spans in those of traces, and metrics and logs beside. */
  async #telemetry(facts: Prng, second: number, story: Story): Promise<void> {
    const isDark = (second >= story.dark[0] && second < story.dark[1]) || second > story.seconds;
    const { skew, isUnruly } = story;
    const spans: TestSpan[] = [];
    this.#isRelieved ||= this.target.isRestrained('demo', 'web');
    const isOverloaded = second >= story.overloadAt && !this.#isRelieved;
    for (const service of SERVICES) {
      const isFlooded = service === 'web' && isOverloaded;
      for (let request = 0; request < (isFlooded ? 60 : 20); request += 1) {
        const isCanary = service === 'checkout' && second >= story.deployAt && facts.chance(0.25);
        const version = isCanary && (!story.obeys || this.target.shows('demo', 'checkout', 'v2')) ? 'v2' : 'v1';
        const broken = service === 'checkout' && second >= story.brokenAt ? story.stableErrors : 0.002;
        const instance = story.isLively ? `${service}-${request % 3}` : undefined;
        const isBad = instance === 'cart-1' && second >= story.badInstanceAt;
        const isError = facts.chance(
          isBad ? 0.6 : isFlooded ? 0.8 : version === 'v2' ? Math.max(story.canaryErrors, broken) : broken,
        );
        const lateMs = isUnruly && facts.chance(0.01) ? facts.pick(WRONG_BY_MS) : lateMsOf(facts);
        const tookUs = Math.round((isFlooded ? 400_000 : 20_000) * Math.exp(0.3 * facts.normal()));
        const durationUs = isUnruly && facts.chance(0.01) ? -tookUs : tookUs;
        const ids = idsOf(second, request, SERVICES.indexOf(service));
        const endMs = this.clock.nowMs - lateMs;
        const about = { service, version, environment: 'demo', ...(instance !== undefined && { instance }) };
        spans.push({ ...ids, ...about, isError, durationUs, endMs });
      }
    }
    for (let partition = 0; partition < LANES; partition += 1) {
      const part = spans.filter((_, index) => index % LANES === partition);
      const record = { key: '', headers: this.#stamp('raw', partition), value: traceRequest(part) };
      const isSkewed = partition === SKEWED && second >= skew.from && second < skew.until;
      const nowMs = this.clock.nowMs;
      if (isSkewed) this.clock.nowMs = nowMs + skew.byMs;
      if (!isDark) await this.log.append({ topic: 'otlp_spans', partition }, [record]);
      // Now and then an append of a writer lands twice, as an unanswered one may.
      if (!isDark && facts.chance(0.05)) await this.log.append({ topic: 'otlp_spans', partition }, [record]);
      if (!isDark && isUnruly) await this.#sendAgain(facts, partition, record);
      const tick = { [TICK_HEADER]: JSON.stringify({ refused: {} }), ...this.#stamp('raw', partition) };
      await this.log.append({ topic: 'otlp_spans', partition }, [{ key: '', headers: tick, value: EMPTY_BYTES }]);
      this.clock.nowMs = nowMs;
      await this.#sideSignals(facts, second, { partition, isDark }, story);
    }
  }

  /** Metrics and logs of the services that a partition hears of, and the ticks of those topics. */
  async #sideSignals(
    facts: Prng,
    second: number,
    { partition, isDark }: { partition: number; isDark: boolean },
    { isLively, badInstanceAt }: Story,
  ) {
    const services = SERVICES.filter((_, index) => index % LANES === partition);
    const levelOf = (service: string) =>
      isLively ? (service === 'cart' && second >= badInstanceAt ? 90 : 10) : undefined;
    const bodies = {
      otlp_metrics: encodeMetricsJson(
        services.map((service) =>
          metricsOf({ service, second, nowMs: this.clock.nowMs, level: levelOf(service) }, facts),
        ),
      ),
      otlp_logs: encodeLogsJson(services.map((service) => logsOf(service, this.clock.nowMs, facts))),
    };
    for (const topic of ['otlp_metrics', 'otlp_logs'] as const) {
      const edge = `raw ${topic}`;
      const value = bodies[topic];
      const stamped = { key: '', headers: this.#stamp(edge, partition), value };
      if (!isDark) await this.log.append({ topic, partition }, [stamped]);
      const tick = { [TICK_HEADER]: JSON.stringify({ refused: {} }), ...this.#stamp(edge, partition) };
      await this.log.append({ topic, partition }, [{ key: '', headers: tick, value: EMPTY_BYTES }]);
    }
  }

  /** A client sends its request again, which counts again; a broker redelivers a record of before, which does not. */
  async #sendAgain(facts: Prng, partition: number, { value }: NewRecord): Promise<void> {
    const to = { topic: 'otlp_spans', partition };
    if (facts.chance(0.1)) await this.log.append(to, [{ key: '', headers: this.#stamp('raw', partition), value }]);
    if (!facts.chance(0.1)) return;
    const { headers, value: before } = facts.pick((await recordsOf(this.log, to)).slice(-REDELIVERED_AMONG));
    await this.log.append(to, [{ key: '', headers, value: before }]);
  }

  /** Lets the line and the actuators run for a second of simulated time, in dice order. */
  async #work(): Promise<void> {
    const steps = this.#rates.crash > 0 ? 250 + this.#dice.below(350) : 600;
    for (let step = 0; step < steps; step += 1) {
      await this.#world.step(this.#rates);
      if (step % 20 !== 0) continue;
      if (this.#actuators.length < 3 && this.#dice.chance(this.#rates.zombie)) await this.#openActuator();
      await this.#act();
    }
  }

  /** One partition of one actuator, or of all of them at once: claims must be able to cross. */
  async #act(): Promise<void> {
    const who = this.#dice.chance(0.5) ? this.#actuators : [this.#dice.pick(this.#actuators)];
    const partition = this.#dice.below(LANES);
    await Promise.all(who.map((actuator) => actuator.partitions[partition]!.pump().catch(ignoreUnavailable)));
  }

  async #word(word: ControlMessage): Promise<void> {
    const partition = laneOf(word.tenant, LANES);
    const record: NewRecord = {
      key: word.tenant,
      headers: this.#stamp('control', partition),
      value: controlCodec.encode(word),
    };
    await this.log.append({ topic: 'flyball.control', partition }, [record]);
  }

  #stamp(edge: string, partition: number): Record<string, string> {
    const origin = writerOrigin(edge, `sim/${partition}`);
    const position = (this.#sequences.get(origin) ?? 0) + 1;
    this.#sequences.set(origin, position);
    return { [PROVENANCE_HEADER]: formatProvenance({ origin, epoch: 0, position, index: 0 }) };
  }
}

function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof UnavailableError)) throw error;
}

/** How far off the clocks of some senders are, ms in the past: an hour and a century, either way. */
const WRONG_BY_MS = [HOUR_MS, -HOUR_MS, BASE_MS - 1_000, -100 * 365 * 24 * HOUR_MS] as const;

/** How long after its end a span is sent: out of order, and sometimes long after its window. */
function lateMsOf(facts: Prng): number {
  return facts.chance(0.02) ? 20_000 : facts.below(900);
}

/** Everything that was said of commands, past the marks. */
export async function outcomesOf(log: MemoryLog): Promise<readonly OutcomesMessage[]> {
  const found: OutcomesMessage[] = [];
  for (let partition = 0; partition < LANES; partition += 1) {
    const marks = new Marks();
    for (const record of await recordsOf(log, { topic: 'remediation.outcomes', partition })) {
      if (marks.raise(provenanceOf(record.headers), record.appendedAtMs)) found.push(outcomesCodec.decode(record));
    }
  }
  return found;
}
