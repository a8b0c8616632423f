import { controlCodec, type ControlMessage } from '@flyball/contracts';
import { RejectedError } from '@flyball/core';
import { isFresh, type Log, Marks, type StoredRecord } from '@flyball/runtime';

const TOPIC = 'flyball.control';
const READ_BYTES_MAX = 1_000_000;

/** Where the kill switch looks beside the log. */
export interface KillSwitchOptions {
  readonly log: Log;
  /** Whether the file that pauses exists. */
  readonly isPauseFileThere: () => boolean;
  /** Code of why the audit cannot be written now, or ''. */
  readonly auditFailure: () => string;
  /** A clock that only goes forward, ms. */
  readonly monotonicMs: () => number;
}

interface Place {
  offset: number;
  readonly marks: Marks;
  /** By tenant whether its last word in this partition was "resume". */
  readonly isResumed: Map<string, boolean>;
  /** Offset of a word that nobody here can read, and that no word since has overruled. */
  unreadableAt: number | undefined;
}

/**
 * Whether effects may start. Any one road stops them: the last word on `flyball.control`, a word at the actuator's own
 * port, a file beside it. No word on record means paused; and so does one that cannot be read, until somebody says "resume": in a
 * later release it may be a pause.
 */
export class KillSwitch {
  readonly #options: KillSwitchOptions;
  readonly #places: Place[] = [];
  #readAtMs = -Infinity;
  #isPausedHere = false;

  constructor(options: KillSwitchOptions) {
    this.#options = options;
  }

  /** The word at the actuator's own port. It stops everything, whatever the log says. */
  pauseHere(isPaused: boolean): void {
    this.#isPausedHere = isPaused;
  }

  /**
   * Reads `flyball.control` to its end.
   *
   * @throws {UnavailableError} from the log: then no effect may start.
   * @throws {RejectedError} `FLYBALL_CONTROL_UNREADABLE`, once for a word; by then it counts as a pause.
   */
  async read(): Promise<void> {
    const { log, monotonicMs } = this.#options;
    const { partitions } = await log.describe(TOPIC);
    const startedAtMs = monotonicMs();
    await Promise.all(Array.from({ length: partitions }, (_, partition) => this.#readAll(partition)));
    this.#readAtMs = startedAtMs;
  }

  async #readAll(partition: number): Promise<void> {
    const nothing = { offset: 0, marks: new Marks(), isResumed: new Map(), unreadableAt: undefined };
    const place = (this.#places[partition] ??= nothing);
    let unreadable: RejectedError | undefined;
    for (;;) {
      const records = await this.#options.log.read({ topic: TOPIC, partition }, place.offset, READ_BYTES_MAX);
      for (const record of records) unreadable = this.#hear(record, place) ?? unreadable;
      if (records.length > 0) continue;
      if (unreadable !== undefined) throw unreadable;
      return;
    }
  }

  /** Takes in a record once: two who read at the same time may both have got it. Returns why it cannot be read, if so. */
  #hear(record: StoredRecord, place: Place): RejectedError | undefined {
    if (record.offset !== place.offset) return undefined;
    place.offset = record.offset + 1;
    if (!isFresh(record, place.marks)) return undefined;
    const word = wordOf(record);
    if (word instanceof RejectedError) {
      place.unreadableAt = record.offset;
      place.isResumed.clear();
      return word;
    }
    if (word.type === 'pause') place.isResumed.set(word.tenant, false);
    if (word.type === 'resume') {
      place.isResumed.set(word.tenant, true);
      place.unreadableAt = undefined;
    }
    return undefined;
  }

  /** Why effects for a tenant are stopped, or '' when they may start. */
  stoppedBy(tenant: string, controlAgeMs: number): string {
    if (this.#isPausedHere) return 'paused at the actuator';
    if (this.#options.isPauseFileThere()) return 'the file PAUSE is there';
    const auditFailure = this.#options.auditFailure();
    if (auditFailure !== '') return `the audit cannot be written: ${auditFailure}`;
    if (!this.#isResumed(tenant)) return this.#whyPaused();
    const ageMs = this.#options.monotonicMs() - this.#readAtMs;
    return ageMs > controlAgeMs ? 'flyball.control cannot be read' : '';
  }

  /** Whether a tenant's last word says so, in every partition that holds one: all are in one, unless somebody put them elsewhere. */
  #isResumed(tenant: string): boolean {
    const words = this.#places.map((place) => place.isResumed.get(tenant)).filter((word) => word !== undefined);
    return words.length > 0 && words.every((isResumed) => isResumed);
  }

  #whyPaused(): string {
    const unreadable = this.#places.findIndex(({ unreadableAt }) => unreadableAt !== undefined);
    const at = this.#places[unreadable]?.unreadableAt;
    if (at === undefined) return 'paused, or never resumed';
    return `paused, or never resumed since a word that cannot be read: ${TOPIC}/${unreadable}, offset ${at}`;
  }
}

/** The word that a record is, or why nobody here can read it. */
function wordOf(record: StoredRecord): ControlMessage | RejectedError {
  try {
    return controlCodec.decode(record);
  } catch (error) {
    if (error instanceof RejectedError) return error;
    throw error;
  }
}
