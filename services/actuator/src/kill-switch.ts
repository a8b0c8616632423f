import { controlCodec } from '@flyball/contracts';
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
}

/**
 * Whether effects may start. Any one road stops them: the last word on `flyball.control`, a word at the actuator's own
 * port, a file beside it. No word on record means paused.
 */
export class KillSwitch {
  readonly #options: KillSwitchOptions;
  readonly #places: Place[] = [];
  readonly #isResumed = new Map<string, boolean>();
  #readAtMs = -Infinity;
  #isPausedHere = false;

  constructor(options: KillSwitchOptions) {
    this.#options = options;
  }

  /** The word at the actuator's own port. It stops everything, whatever the log says. */
  pauseHere(isPaused: boolean): void {
    this.#isPausedHere = isPaused;
  }

  /** Reads `flyball.control` to its end. @throws {UnavailableError} from the log: then no effect may start. */
  async read(): Promise<void> {
    const { log, monotonicMs } = this.#options;
    const { partitions } = await log.describe(TOPIC);
    const startedAtMs = monotonicMs();
    await Promise.all(Array.from({ length: partitions }, (_, partition) => this.#readAll(partition)));
    this.#readAtMs = startedAtMs;
  }

  async #readAll(partition: number): Promise<void> {
    const place = (this.#places[partition] ??= { offset: 0, marks: new Marks() });
    for (;;) {
      const records = await this.#options.log.read({ topic: TOPIC, partition }, place.offset, READ_BYTES_MAX);
      if (records.length === 0) return;
      for (const record of records) this.#hear(record, place);
    }
  }

  /** Takes in a record once: two who read at the same time may both have got it. */
  #hear(record: StoredRecord, place: Place): void {
    if (record.offset !== place.offset) return;
    place.offset = record.offset + 1;
    if (!isFresh(record, place.marks)) return;
    const word = controlCodec.decode(record);
    if (word.type === 'pause') this.#isResumed.set(word.tenant, false);
    if (word.type === 'resume') this.#isResumed.set(word.tenant, true);
  }

  /** Why effects for a tenant are stopped, or '' when they may start. */
  stoppedBy(tenant: string, controlAgeMs: number): string {
    if (this.#isPausedHere) return 'paused at the actuator';
    if (this.#options.isPauseFileThere()) return 'the file PAUSE is there';
    const auditFailure = this.#options.auditFailure();
    if (auditFailure !== '') return `the audit cannot be written: ${auditFailure}`;
    if (this.#isResumed.get(tenant) !== true) return 'paused, or never resumed';
    const ageMs = this.#options.monotonicMs() - this.#readAtMs;
    return ageMs > controlAgeMs ? 'flyball.control cannot be read' : '';
  }
}
