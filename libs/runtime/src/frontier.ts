/**
 * How far a set of upstream lanes has come: the least of their times. A stage that reads several lanes
 * passes on a time only when all of them have passed it; nobody infers from one that another has stalled.
 */
export class Frontier {
  readonly #times: Map<string, number>;
  #left: ReadonlySet<string> = new Set();

  /**
   * @param origins - the lanes to wait for from the start; others join when they are first heard.
   */
  constructor(origins: readonly string[]) {
    this.#times = new Map(origins.map((origin) => [origin, -Infinity]));
  }

  /** The least time, ms since the Unix epoch; `-Infinity` until every lane was heard. */
  get atMs(): number {
    let least = Infinity;
    for (const [origin, atMs] of this.#times) if (atMs < least && !this.#left.has(origin)) least = atMs;
    return least === Infinity ? -Infinity : least;
  }

  /**
   * Moves a lane's time up; it never goes back.
   *
   * @returns whether {@link atMs} moved.
   */
  raise(origin: string, atMs: number): boolean {
    const before = this.atMs;
    this.#times.set(origin, Math.max(atMs, this.#times.get(origin) ?? -Infinity));
    return this.atMs > before;
  }

  /** Lanes that are not waited for until this is said again. Part of no snapshot: whoever says it must say it anew. */
  leave(origins: ReadonlySet<string>): void {
    this.#left = origins;
  }

  /** Origins and times, by origin; `null` for one that was not heard yet. */
  save(): readonly (readonly [string, number | null])[] {
    return [...this.#times]
      .map(([origin, atMs]) => [origin, atMs === -Infinity ? null : atMs] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Replaces all times by saved ones. */
  restore(saved: readonly (readonly [string, number | null])[]): void {
    this.#times.clear();
    for (const [origin, atMs] of saved) this.#times.set(origin, atMs ?? -Infinity);
  }
}
