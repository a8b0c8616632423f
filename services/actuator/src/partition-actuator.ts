import {
  type Claim,
  type Command,
  commandsCodec,
  type Outcome,
  outcomesCodec,
  type OutcomesMessage,
  targetKey,
} from '@flyball/contracts';
import { UnavailableError } from '@flyball/core';
import { traced } from '@flyball/host';
import {
  type Applied,
  type Codec,
  cutOf,
  formatProvenance,
  isFresh,
  type Log,
  Marks,
  type NewRecord,
  PROVENANCE_HEADER,
  type TargetDriver,
  writerOrigin,
} from '@flyball/runtime';
import { CommandTable } from './command-table.ts';
import type { ActuatorConfig } from './config.ts';
import { withinDeadline } from './deadline.ts';
import { Effects } from './effects.ts';
import type { KillSwitch } from './kill-switch.ts';

const READ_BYTES_MAX = 1_000_000;

/** What one partition's actuator has at hand. */
export interface PartitionOptions {
  readonly config: ActuatorConfig;
  readonly log: Log;
  readonly partition: number;
  /** Names one start of one actuator. */
  readonly run: string;
  readonly drivers: ReadonlyMap<string, TargetDriver>;
  readonly killSwitch: KillSwitch;
  /** Wall clock, ms: for expiry only. */
  readonly wallMs: () => number;
  /** A clock that only goes forward, ms. */
  readonly monotonicMs: () => number;
  /** Told of every attempt and every final outcome. */
  readonly onOutcome: (outcome: Outcome) => void;
}

/** How far a topic was read. */
interface Place {
  offset: number;
  readonly marks: Marks;
}

type Result = Pick<Outcome, 'status' | 'reason' | 'detail' | 'by' | 'before' | 'after'>;

/** Carries out the commands of one partition: each at most once, whatever dies and whoever else tries. */
export class PartitionActuator {
  readonly #options: PartitionOptions;
  readonly #table = new CommandTable();
  readonly #effects: Effects;
  readonly #commands = { offset: 0, marks: new Marks() };
  readonly #outcomes = { offset: 0, marks: new Marks() };
  /** Commands by this run that an attempt was made of: never again. */
  readonly #attempted = new Set<string>();
  /** When this run first claimed commands that it has not finished, by its monotonic clock, ms. */
  readonly #claimedMs = new Map<string, number>();
  #queue: Command[] = [];
  #pending: NewRecord | undefined;
  #sequence = 0;

  constructor(options: PartitionOptions) {
    this.#options = options;
    this.#effects = new Effects({ ...options, table: this.#table });
  }

  /** Whether commands are held: they wait for the kill switch, or for what another has begun to be over. */
  get isHolding(): boolean {
    return this.#queue.length > 0;
  }

  /**
   * Reads what is new, undoes what is over, and handles what can be handled, with at most one attempt. The simulator
   * calls it in any order.
   *
   * @returns whether anything was done.
   * @throws {UnavailableError} from the log. Call again: what was not recorded is recorded first.
   * @throws {RejectedError} `REMEDIATION_OUTCOMES_UNREADABLE`, `REMEDIATION_COMMANDS_UNREADABLE`: nothing is done until this release
   * is a newer one, but what is over is undone.
   */
  async pump(): Promise<boolean> {
    await this.#catchUp();
    await this.#effects.undoDue();
    const undone = this.#effects.takeEnded();
    if (undone !== undefined)
      return this.#report(undone.command, { ...undone.ended, status: 'reverted', reason: null });
    if (this.#queue.length === 0) return false;
    await this.#options.killSwitch.read();
    for (const command of [...this.#queue]) {
      const isDone = await this.#handle(command);
      if (!isDone) continue;
      this.#claimedMs.delete(command.commandId);
      this.#queue = this.#queue.filter((other) => other !== command);
      return true;
    }
    return false;
  }

  /** Records what was not recorded, and reads what is new. What is in force ends at its time also while that cannot be done. */
  async #catchUp(): Promise<void> {
    try {
      if (this.#pending !== undefined) await this.#append(this.#pending);
      await this.#readOutcomes();
      await this.#readCommands();
    } catch (error) {
      await this.#effects.undoDue();
      throw error;
    }
  }

  /** Handles a command as far as it goes. Returns whether nothing is left to be done with it. */
  async #handle(command: Command): Promise<boolean> {
    const known = this.#table.of(command.commandId);
    const { run, config, monotonicMs } = this.#options;
    if (known.isFinal) return true;
    if (known.claimedBy !== null && (known.claimedBy !== run || this.#attempted.has(command.commandId))) {
      // Somebody has tried, or may be trying. Wait until that must be over, then look; never try again.
      const overMs = known.claimSeenMs + config.attemptDeadlineMs + config.claimGraceMs;
      if (known.claimedBy !== run && monotonicMs() < overMs) return false;
      return this.#report(command, await this.#lookAtTarget(command, 'its attempt was not reported'));
    }
    // Held until it may start, or has expired.
    if (this.#refuse(command) === undefined && this.#stopped(command) !== '') return false;
    return this.#claimAndTry(command);
  }

  /**
   * The claim is the intent: only the first one in the log may act, and only it may refuse: a refusal beside another's attempt
   * would be taken for the end of a command that has an effect.
   */
  async #claimAndTry(command: Command): Promise<boolean> {
    const { run, config, killSwitch, wallMs, monotonicMs } = this.#options;
    const { commandId, target, incidentId } = command;
    // The age of a claim counts from when it may first have been in the log, however long its answer took and however often the
    // log was away since: others wait only so long before they look at the target and tell what they see.
    const claimedMs = this.#claimedMs.get(commandId) ?? monotonicMs();
    if (!this.#claimedMs.has(commandId)) {
      this.#claimedMs.set(commandId, claimedMs);
      const claim: Claim = { type: 'claim', commandId, target, incidentId, run, claimedAtMs: wallMs() };
      await this.#say(claim);
    }
    await this.#readOutcomes();
    const known = this.#table.of(commandId);
    if (known.isFinal) return true;
    if (known.claimedBy !== run) return false;
    await killSwitch.read();
    const refusal = this.#refuse(command);
    if (refusal !== undefined) return this.#report(command, refusal);
    const stopped = this.#stopped(command);
    if (stopped !== '') return this.#report(command, refused('kill_switch', stopped));
    const ageMs = monotonicMs() - claimedMs;
    if (ageMs > config.claimValidMs)
      return this.#report(command, refused('claim_expired', `${ageMs} ms since the claim`));
    const about = { 'flyball.command': commandId, 'flyball.target': targetKey(target) };
    return this.#report(command, await traced('attempt', about, () => this.#try(command)));
  }

  /** The one attempt. Whatever comes of it, it is not made again. */
  async #try(command: Command): Promise<Result> {
    const driver = this.#options.drivers.get(command.target.driver)!;
    this.#attempted.add(command.commandId);
    const { attemptDeadlineMs } = this.#options.config;
    try {
      return resultOf(await withinDeadline(attemptDeadlineMs, (signal) => driver.apply(command, signal)));
    } catch (error) {
      const isUndone = error instanceof UnavailableError && error.code === 'TARGET_UNAVAILABLE';
      const text = error instanceof Error ? error.message : String(error);
      if (isUndone)
        return { status: 'failed', reason: 'adapter_error', detail: text, by: 'attempt', before: '', after: '' };
      return this.#lookAtTarget(command, text);
    }
  }

  /** Finds out by reading whether the effect is in place. What cannot be found out is unknown, and says so. */
  async #lookAtTarget(command: Command, why: string): Promise<Result> {
    const driver = this.#options.drivers.get(command.target.driver);
    const about = { reason: null, by: 'reading' as const, before: '' };
    try {
      if (driver === undefined) throw new UnavailableError('TARGET_UNAVAILABLE', 'no driver');
      const [isThere, { text }] = [await driver.has(command), await driver.read(command.target)];
      return { ...about, status: isThere ? 'applied' : 'unknown', detail: why, after: text };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { ...about, status: 'unknown', detail: `${why}; ${text}`, after: '' };
    }
  }

  /** What ends a command without an attempt. */
  #refuse(command: Command): Result | undefined {
    const { drivers, wallMs } = this.#options;
    if (wallMs() >= command.expiresAtMs)
      return { ...refused('claim_expired', 'expired before it could start'), status: 'expired', reason: null };
    const driver = drivers.get(command.target.driver);
    if (driver === undefined) return refused('no_driver', `no driver ${command.target.driver}`);
    if (driver.fencing === 'none' && command.approval === null)
      return refused('not_approved', 'nothing fences this target: a person must approve what is done to it');
    if (this.#table.isStale(command)) return refused('stale_generation', 'a newer command of this target was issued');
    return undefined;
  }

  #stopped(command: Command): string {
    return this.#options.killSwitch.stoppedBy(command.target.tenant, this.#options.config.controlAgeMs);
  }

  async #report(command: Command, result: Result): Promise<boolean> {
    const { commandId, target, incidentId } = command;
    const { run, wallMs, onOutcome } = this.#options;
    const outcome: Outcome = { type: 'outcome', commandId, target, incidentId, ...result, run, atMs: wallMs() };
    await this.#say(outcome);
    onOutcome(outcome);
    return true;
  }

  async #say(message: OutcomesMessage): Promise<void> {
    const { run, partition } = this.#options;
    this.#sequence += 1;
    const origin = writerOrigin('actuator', `${run}/${partition}`);
    const provenance = formatProvenance({ origin, epoch: 0, position: this.#sequence, index: 0 });
    const headers = { ...outcomesCodec.headers(message), [PROVENANCE_HEADER]: provenance };
    await this.#append({ key: targetKey(message.target), headers, value: outcomesCodec.encode(message) });
  }

  /** Until it is answered, nothing else is done; a repeat carries the same provenance, so it counts once. */
  async #append(record: NewRecord): Promise<void> {
    this.#pending = record;
    await this.#options.log.append({ topic: 'remediation.outcomes', partition: this.#options.partition }, [record]);
    this.#pending = undefined;
  }

  async #readOutcomes(): Promise<void> {
    for await (const message of this.#readAll('remediation.outcomes', outcomesCodec, this.#outcomes)) {
      this.#table.record(message, this.#options.monotonicMs());
    }
  }

  async #readCommands(): Promise<void> {
    for await (const command of this.#readAll('remediation.commands', commandsCodec, this.#commands)) {
      this.#table.issued(command);
      if (this.#table.isForgotten(command)) continue;
      this.#effects.issued(command);
      if (!this.#table.of(command.commandId).isFinal) this.#queue.push(command);
    }
  }

  /** What is new, in order. Nothing is read beyond a message of a later release: it may be a claim, or the end of a command. */
  async *#readAll<Body>(topic: string, codec: Pick<Codec<Body>, 'decode'>, place: Place): AsyncGenerator<Body> {
    const { log, partition } = this.#options;
    for (;;) {
      const records = await log.read({ topic, partition }, place.offset, READ_BYTES_MAX);
      for (const record of records) {
        const body = cutOf(record.headers) === undefined ? codec.decode(record) : undefined;
        place.offset = record.offset + 1;
        if (isFresh(record, place.marks)) yield body!;
      }
      if (records.length === 0) return;
    }
  }
}

function refused(reason: NonNullable<Outcome['reason']>, detail: string): Result {
  return { status: 'rejected', reason, detail, by: 'refusal', before: '', after: '' };
}

function resultOf({ status, before, after, detail }: Applied): Result {
  const about = { detail, by: 'attempt' as const, before, after };
  if (status === 'applied') return { ...about, status, reason: null };
  if (status === 'failed') return { ...about, status, reason: 'adapter_error' };
  return { ...about, status: 'rejected', reason: status };
}
