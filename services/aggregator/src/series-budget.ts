/**
 * How many series a lane may hold at once, over all subjects and open windows. Limits per subject alone bound
 * nothing: whoever can invent names can invent subjects too.
 */
export class SeriesBudget {
  readonly #max: number;
  #used = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a place for one more series; `false` where there is none. */
  take(): boolean {
    if (this.#used >= this.#max) return false;
    this.#used += 1;
    return true;
  }

  /** Gives places back. */
  free(places: number): void {
    this.#used -= places;
  }
}
