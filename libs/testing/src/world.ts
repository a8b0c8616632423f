import { type Prng, UnavailableError } from '@flyball/core';
import { type LanePorts, LaneRunner, type LaneSpec, type TopicBodies } from '@flyball/runtime';

/** Pumps in a row that read nothing, per lane, until the world counts as quiet. */
const QUIET_PUMPS = 40;
/** Most bytes that one pump reads, drawn anew for each: batches must not matter. */
const PUMP_BYTES_CHOICES = [1, 200, 2_000, 50_000];
/** Most runners of one lane at a time. */
const RUNNERS_MAX = 3;

/** How often things go wrong, each 0 to 1, drawn before every pump. */
export interface FaultRates {
  /** A second runner is opened beside the first: the old owner is a zombie that does not know it. */
  readonly zombie: number;
  /** A runner dies without a word. */
  readonly crash: number;
  /** A runner saves. */
  readonly checkpoint: number;
}

/** A lane of the world, whatever its types. */
export interface Stage {
  readonly name: string;
  readonly partitions: number;
  readonly open: (ports: LanePorts, partition: number) => Promise<Runner>;
}

type Runner = Pick<LaneRunner<unknown, TopicBodies>, 'pump' | 'checkpoint'>;

/** A stage as the world runs it. */
export function stage<In, Out extends TopicBodies>(spec: LaneSpec<In, Out>, partitions: number): Stage {
  return {
    name: spec.name,
    partitions,
    open: (ports, partition) => LaneRunner.open(spec, ports, partition),
  };
}

interface Lane {
  readonly stage: Stage;
  readonly partition: number;
  readonly runners: Runner[];
}

/** What a run of the world went through. A scenario asserts on it: a fault that never came proves nothing. */
export interface WorldReport {
  steps: number;
  crashes: number;
  zombies: number;
  checkpoints: number;
  /** Pumps that ended in an error of the log. */
  failures: number;
}

/** The simulated deployment: lanes, and whoever runs them. */
export class World {
  readonly report: WorldReport = { steps: 0, crashes: 0, zombies: 0, checkpoints: 0, failures: 0 };
  readonly #lanes: readonly Lane[];
  readonly #ports: LanePorts;
  readonly #dice: Prng;

  constructor(stages: readonly Stage[], ports: LanePorts, dice: Prng) {
    this.#lanes = stages.flatMap((each) =>
      Array.from({ length: each.partitions }, (_, partition) => ({ stage: each, partition, runners: [] })),
    );
    this.#ports = ports;
    this.#dice = dice;
  }

  /**
   * Runs until little is left to read: every step picks a lane by the dice and lets one of its runners do one
   * batch. Crashes, zombies and checkpoints happen in between, as the rates say.
   */
  async run(rates: FaultRates): Promise<void> {
    for (let idle = 0; idle < QUIET_PUMPS * this.#lanes.length;) {
      idle = (await this.step(rates)) ? 0 : idle + 1;
    }
  }

  /** One step on one lane. Returns whether anything was read. */
  async step(rates: FaultRates): Promise<boolean> {
    const lane = this.#dice.pick(this.#lanes);
    this.report.steps += 1;
    try {
      return await this.#pump(lane, rates);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      this.report.failures += 1;
      return false;
    }
  }

  async #pump({ stage: each, partition, runners }: Lane, rates: FaultRates): Promise<boolean> {
    const dice = this.#dice;
    if (runners.length > 0 && dice.chance(rates.crash)) {
      runners.splice(dice.below(runners.length), 1);
      this.report.crashes += 1;
    }
    const isZombieBorn = runners.length > 0 && runners.length < RUNNERS_MAX && dice.chance(rates.zombie);
    if (isZombieBorn) this.report.zombies += 1;
    if (isZombieBorn || runners.length === 0) runners.push(await each.open(this.#ports, partition));
    const runner = dice.pick(runners);
    try {
      return (await runner.pump(dice.pick(PUMP_BYTES_CHOICES))) > 0;
    } finally {
      // Also after a failed pump, as a drain would: a runner without its answers must refuse by itself.
      if (dice.chance(rates.checkpoint) && (await runner.checkpoint())) this.report.checkpoints += 1;
    }
  }
}
