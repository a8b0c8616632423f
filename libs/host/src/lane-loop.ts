import { AppError, SECOND_MS } from '@flyball/core';
import {
  type LanePorts,
  LaneRunner,
  type LaneSpec,
  laneName,
  ProcessDiedError,
  recordDeath,
  type TopicBodies,
} from '@flyball/runtime';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from './logger.ts';
import type { Pace } from './pace.ts';
import { traced } from './tracing.ts';

/** A checkpoint is due after this long, or ten times what the last one took. */
const CHECKPOINT_EVERY_MS = 30 * SECOND_MS;
const CHECKPOINT_COST_FACTOR = 10;
/** An idle lane looks again after this long, whatever it was told. */
const IDLE_WAIT_MS = SECOND_MS;
/** A lane that is ahead of the others looks again after so long, ms. */
const AHEAD_WAIT_MS = 100;
/** How long the release before may take to close a lane at a cut. */
const UNCLEAN_AFTER_MS = 30 * SECOND_MS;
/** Not failures: the lane is another release's, or not ours yet. */
const CUT_CODES: readonly string[] = ['LANE_CUT', 'LANE_CUT_PENDING', 'LANE_NOT_ACTIVE'];
/** A person decides: the log is restored, or the lane is reset. */
const RESET_CODES: readonly string[] = ['LOG_GAP', 'LOG_TRUNCATED', 'LOG_BATCH_UNREADABLE', 'MESSAGE_UNREADABLE'];
/** Somebody else runs the lane, or should. */
const OTHERS_CODES: readonly string[] = ['LANE_CUT', 'LANE_NOT_ACTIVE'];
/** How long whoever asks how a lane is doing waits for the log, ms. */
const HEALTH_WAIT_MS = SECOND_MS;
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 5 * SECOND_MS;

/** How a lane is doing, for readiness and people. */
export interface LaneHealth {
  readonly lane: string;
  readonly state: 'opening' | 'running' | 'failing' | 'resting' | 'stopped';
  /** Code of the last error while `failing` or `resting`, else ''. */
  readonly code: string;
  readonly hint: string;
  readonly offset: number;
  /** Records in the inbox that were not read yet, when the log last told; 0 of a lane that is somebody else's to read. */
  readonly lag: number;
  /** Age of the oldest of them, seconds; 0 when there is none. */
  readonly lagSeconds: number;
  /** Whether it took the lane over at a cut that nobody had closed: results up to the cut may differ from those before. */
  readonly isUnclean: boolean;
  /** Whether it waits for slower lanes of its processor. */
  readonly isAhead: boolean;
}

/** What a loop is run with, beside its lane. */
export interface LaneLoopOptions {
  readonly logger: Logger;
  /** How long to wait for the release before at a cut, ms; 0 where there can be none. Default 30 s. */
  readonly uncleanAfterMs?: number;
  /** What keeps the lanes of its processor together, if anything does. */
  readonly pace?: Pace | undefined;
}

/** How a part of a process that is no lane is doing: it runs unless something is said to be wrong with it. */
export function partHealth(name: string, failure: AppError | undefined): LaneHealth {
  const { code = '', hint = '' } = failure ?? {};
  const state = failure === undefined ? 'running' : 'failing';
  return { lane: name, state, code, hint, offset: 0, lag: 0, lagSeconds: 0, isUnclean: false, isAhead: false };
}

/** Runs one lane until it is stopped: opens it, pumps it, saves it, and opens it again when it fails. */
export class LaneLoop<In, Out extends TopicBodies> {
  readonly lane: string;
  readonly #spec: LaneSpec<In, Out>;
  readonly #ports: LanePorts;
  readonly #partition: number;
  readonly #logger: Logger;
  readonly #uncleanAfterMs: number;
  readonly #pace: Pace | undefined;
  #isAhead = false;
  #pendingSinceMs: number | undefined;
  #runner: LaneRunner<In, Out> | undefined;
  #failure: AppError | undefined;
  /** Of the last runner, for when there is none. */
  #offset = 0;
  #endOffset = 0;
  #state: LaneHealth['state'] = 'opening';
  #backoffMs = BACKOFF_MIN_MS;
  #savedAtMs = 0;
  #saveTookMs = 0;
  #saving: Promise<void> | undefined;
  #isStopping = false;
  #isOwned = true;
  #rouse: () => void = () => undefined;
  #done: Promise<void> | undefined;

  constructor(
    spec: LaneSpec<In, Out>,
    ports: LanePorts,
    partition: number,
    { logger, uncleanAfterMs = UNCLEAN_AFTER_MS, pace }: LaneLoopOptions,
  ) {
    this.#pace = pace;
    this.#uncleanAfterMs = uncleanAfterMs;
    this.lane = laneName(spec.name, spec.inbox.topic, partition);
    this.#spec = spec;
    this.#ports = ports;
    this.#partition = partition;
    this.#logger = logger;
  }

  /** Starts to run. */
  start(): void {
    this.#done ??= this.#run();
  }

  /**
   * Whether this process should run the lane. A lane that rests keeps its state, and goes on from its own place when it is
   * owned again.
   */
  own(isOwned: boolean): void {
    this.#isOwned = isOwned;
    if (isOwned) this.#rouse();
  }

  /** Stops after the present batch, with a closing checkpoint. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#rouse();
    await this.#done;
    await this.#saving;
    await this.#runner
      ?.checkpoint()
      .catch((error: unknown) => this.#logger.warn({ error, lane: this.lane }, 'no closing checkpoint'));
    this.#state = 'stopped';
  }

  /** Answers also while the log does not: that is when people ask. */
  async health(): Promise<LaneHealth> {
    const inbox = { topic: this.#spec.inbox.topic, partition: this.#partition };
    const range = await within(this.#ports.log.range(inbox), HEALTH_WAIT_MS).catch(() => undefined);
    this.#endOffset = range?.endOffset ?? this.#endOffset;
    const offset = this.#runner?.offset ?? this.#offset;
    const { code = '', hint = '' } = this.#failure ?? {};
    const isOthers = this.#state === 'resting' && (!this.#isOwned || OTHERS_CODES.includes(code));
    const lag = isOthers ? 0 : Math.max(0, this.#endOffset - offset);
    const readAtMs = this.#runner?.lastAppendedAtMs;
    const lagSeconds = lag === 0 || readAtMs === undefined ? 0 : Math.max(0, Date.now() - readAtMs) / SECOND_MS;
    const isUnclean = this.#runner?.isUnclean ?? false;
    return {
      lane: this.lane,
      state: this.#state,
      code,
      hint,
      offset,
      lag,
      lagSeconds,
      isUnclean,
      isAhead: this.#isAhead,
    };
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        if (this.#isOwned) await this.#turn();
        else await this.#rest();
      } catch (error) {
        await this.#fail(error);
      }
    }
  }

  async #rest(): Promise<void> {
    this.#state = 'resting';
    this.#isAhead = false;
    this.#pace?.left(this.#partition);
    await new Promise<void>((resolve) => (this.#rouse = resolve));
  }

  async #turn(): Promise<void> {
    this.#runner ??= await this.#open();
    this.#isAhead = this.#pace?.isAhead(this.#partition) ?? false;
    if (this.#isAhead) return this.#waitForOthers();
    const read = await this.#runner.pump();
    this.#pace?.came(this.#partition, { offset: this.#runner.offset, reachedMs: this.#runner.lastAppendedAtMs });
    this.#state = 'running';
    this.#failure = undefined;
    this.#backoffMs = BACKOFF_MIN_MS;
    this.#saveIfDue(this.#runner);
    if (read > 0) return;
    const inbox = { topic: this.#spec.inbox.topic, partition: this.#partition };
    await this.#ports.log.wait(inbox, this.#runner.offset, IDLE_WAIT_MS);
  }

  /** It wants nothing of the log meanwhile: what failed before says nothing any more. */
  async #waitForOthers(): Promise<void> {
    this.#state = 'running';
    this.#failure = undefined;
    await pause(AHEAD_WAIT_MS);
  }

  async #open(): Promise<LaneRunner<In, Out>> {
    const waitedMs = performance.now() - (this.#pendingSinceMs ?? Infinity);
    const isUncleanAllowed = this.#uncleanAfterMs === 0 || waitedMs >= this.#uncleanAfterMs;
    const runner = await LaneRunner.open(this.#spec, this.#ports, this.#partition, isUncleanAllowed);
    this.#pendingSinceMs = undefined;
    if (runner.isUnclean) this.#logger.warn({ lane: this.lane }, 'unclean cut: nobody had closed the lane there');
    return runner;
  }

  /** In the background: a slow store costs recovery time, never throughput. */
  #saveIfDue(runner: LaneRunner<In, Out>): void {
    const now = performance.now();
    if (this.#savedAtMs === 0) this.#savedAtMs = now;
    const dueMs = Math.max(CHECKPOINT_EVERY_MS, CHECKPOINT_COST_FACTOR * this.#saveTookMs);
    if (this.#saving !== undefined || now - this.#savedAtMs < dueMs) return;
    this.#savedAtMs = now;
    this.#saving = traced('checkpoint', { 'flyball.lane': this.lane }, () => runner.checkpoint()).then(
      () => {
        this.#saveTookMs = performance.now() - now;
        this.#saving = undefined;
      },
      (error: unknown) => {
        this.#saving = undefined;
        this.#logger.warn({ error, lane: this.lane }, 'checkpoint failed; recovery would take longer');
      },
    );
  }

  /** The world is away: back off and go on with the same runner. Where that is over, or there is none: reopen. */
  async #fail(error: unknown): Promise<void> {
    if (!(error instanceof AppError)) this.#logger.error({ error, lane: this.lane }, 'lane failed');
    const isNew = this.#failure?.code !== (error as AppError).code;
    const isCut = error instanceof AppError && CUT_CODES.includes(error.code);
    if (isCut && error.code === 'LANE_CUT_PENDING') this.#pendingSinceMs ??= performance.now();
    this.#state = isCut ? 'resting' : 'failing';
    this.#failure = error instanceof AppError ? error : undefined;
    if (isNew && isCut) this.#logger.info({ error, lane: this.lane }, 'lane rests at a cut');
    else if (isNew) this.#logger.warn({ error, lane: this.lane }, 'lane fails; it is tried again');
    if (error instanceof ProcessDiedError) {
      const at = { lane: this.lane, offset: error.offset };
      await recordDeath(this.#ports.objects, at, randomUUID()).catch(() => false);
    }
    if (await this.#isOver(error)) {
      this.#offset = this.#runner?.offset ?? this.#offset;
      this.#runner = undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, this.#backoffMs));
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
  }

  /** Whether the runner cannot go on: it died, has closed the lane at a cut, or is of a life that a person has ended. */
  async #isOver(error: unknown): Promise<boolean> {
    if (!(error instanceof AppError) || error.kind !== 'unavailable' || error.code === 'LANE_CUT') return true;
    if (this.#runner === undefined || !RESET_CODES.includes(error.code)) return false;
    return this.#runner.isReset().catch(() => false);
  }
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), timeoutMs)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
