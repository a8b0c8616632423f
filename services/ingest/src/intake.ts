import { UnavailableError } from '@flyball/core';

/** What comes is there twice: as it came, until the garbage collector has taken that, and put together. */
export const COMING_WEIGHT = 2;
/** Share of the budget that is left to all others, however much the one holds that may hold more. */
const OTHERS_SHARE = 1 / 8;

/**
 * Bounds what requests that are being received hold in memory together, before anybody knows what is in them. Where there is no
 * more room one of them may go on all the same, until it is answered: else many that are large would only ever stop each other.
 * So all of them hold at most the budget and one request, whose size has a limit of its own.
 */
export class IntakeBudget {
  readonly #bytesMax: number;
  /** Held by all but the one that may hold more. */
  #held = 0;
  #favoured: { bytes: number } | undefined;

  /** @param bytesMax - most bytes that all requests hold together. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Begins a request, which holds nothing yet. */
  open(): Intake {
    const own = { bytes: 0 };
    return {
      hold: (bytes) => {
        if (this.#favoured !== own && this.#held + bytes > this.#room) this.#favour(own);
        if (this.#favoured !== own) this.#held += bytes;
        own.bytes += bytes;
      },
      release: () => {
        if (this.#favoured === own) this.#favoured = undefined;
        else this.#held -= own.bytes;
        own.bytes = 0;
      },
    };
  }

  /** Most that others than the favoured one may hold. */
  get #room(): number {
    return Math.max(this.#bytesMax - (this.#favoured?.bytes ?? 0), OTHERS_SHARE * this.#bytesMax);
  }

  #favour(own: { bytes: number }): void {
    if (this.#favoured !== undefined) {
      const hint = 'Send it again after the time that the answer names.';
      throw new UnavailableError('INGEST_OVERLOADED', 'too much is being received at once', { hint });
    }
    this.#favoured = own;
    this.#held -= own.bytes;
  }
}

/** What one request holds. */
export interface Intake {
  /** Holds more bytes. @throws {UnavailableError} `INGEST_OVERLOADED`: others hold so much that there is no room. */
  hold(bytes: number): void;
  /** Lets go of everything. Safe to call twice. */
  release(): void;
}
