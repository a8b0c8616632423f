import { UnavailableError } from '@flyball/core';

/**
 * Bounds what requests that are being received hold in memory together, before anybody knows what is in them. One alone is
 * always taken, whatever its size: that has a limit of its own.
 */
export class IntakeBudget {
  readonly #bytesMax: number;
  #held = 0;

  /** @param bytesMax - most bytes that all requests hold together. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Begins a request, which holds nothing yet. */
  open(): Intake {
    let own = 0;
    return {
      hold: (bytes) => {
        const isAlone = this.#held === own;
        if (!isAlone && this.#held + bytes > this.#bytesMax) {
          const hint = 'Send it again after the time that the answer names.';
          throw new UnavailableError('INGEST_OVERLOADED', 'too much is being received at once', { hint });
        }
        own += bytes;
        this.#held += bytes;
      },
      release: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }
}

/** What one request holds. */
export interface Intake {
  /** Holds more bytes. @throws {UnavailableError} `INGEST_OVERLOADED`: others hold so much that there is no room. */
  hold(bytes: number): void;
  /** Lets go of everything. Safe to call twice. */
  release(): void;
}
