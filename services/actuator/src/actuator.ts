import type { Outcome } from '@flyball/contracts';
import type { Log, TargetDriver } from '@flyball/runtime';
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import type { ActuatorConfig } from './config.ts';
import { KillSwitch } from './kill-switch.ts';
import { PartitionActuator } from './partition-actuator.ts';

/** A partition without commands waits for one; one that holds some looks again soon. */
const IDLE_WAIT_MS = 1_000;
const HELD_WAIT_MS = 200;
const BACKOFF_MS = 200;

/** What an actuator runs on. Clocks are given by tests only. */
export interface ActuatorPorts {
  readonly log: Log;
  readonly drivers: readonly TargetDriver[];
  /** A file whose presence stops all effects; so does that nobody can tell whether it is there. */
  readonly pauseFile: string;
  /** Code of why the audit cannot be written now, or '': then no effect may start. For an audit of the same process. */
  readonly auditFailure?: () => string;
  readonly onOutcome?: (outcome: Outcome) => void;
  /** Told of errors of the log; the actuator goes on. */
  readonly onError?: (error: unknown) => void;
  readonly wallMs?: () => number;
  readonly monotonicMs?: () => number;
}

/** The edge that acts, and decides nothing: it carries out each command at most once, and says what became of it. */
export class Actuator {
  readonly killSwitch: KillSwitch;
  readonly partitions: readonly PartitionActuator[];
  readonly #log: Log;
  readonly #onError: (error: unknown) => void;
  #isStopping = false;
  #loops: Promise<void>[] = [];

  private constructor(config: ActuatorConfig, ports: ActuatorPorts, count: number) {
    const { log, drivers, pauseFile, wallMs = Date.now, monotonicMs = () => performance.now() } = ports;
    const run = randomUUID();
    this.#log = log;
    this.#onError = ports.onError ?? (() => undefined);
    const isPauseFileThere = () => mayBeThere(pauseFile);
    const auditFailure = ports.auditFailure ?? (() => '');
    this.killSwitch = new KillSwitch({ log, monotonicMs, isPauseFileThere, auditFailure });
    const byName = new Map(drivers.map((driver) => [driver.name, driver]));
    const onOutcome = ports.onOutcome ?? (() => undefined);
    const every = { config, log, run, drivers: byName, killSwitch: this.killSwitch, wallMs, monotonicMs, onOutcome };
    this.partitions = Array.from({ length: count }, (_, partition) => new PartitionActuator({ ...every, partition }));
  }

  /** Opens an actuator on a log whose topics exist. */
  static async open(config: ActuatorConfig, ports: ActuatorPorts): Promise<Actuator> {
    const { partitions } = await ports.log.describe('remediation.commands');
    return new Actuator(config, ports, partitions);
  }

  /** Starts to run all partitions. */
  start(): void {
    this.#loops = this.partitions.map((actuator, partition) => this.#run(actuator, partition));
  }

  /** Stops after what is under way. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#loops);
  }

  async #run(actuator: PartitionActuator, partition: number): Promise<void> {
    const commands = { topic: 'remediation.commands', partition };
    while (!this.#isStopping) {
      try {
        if (await actuator.pump()) continue;
        const { endOffset } = await this.#log.range(commands);
        await this.#log.wait(commands, endOffset, actuator.isHolding ? HELD_WAIT_MS : IDLE_WAIT_MS);
      } catch (error) {
        this.#onError(error);
        await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS));
      }
    }
  }
}

/** Whether a file is there, or may be: a disk that does not say stops everything. */
function mayBeThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
