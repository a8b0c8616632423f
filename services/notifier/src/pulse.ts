/** How we are, as the dead-man signal tells it. */
export interface Pulse {
  /** Why we are not well, a sentence each; empty while we are. */
  readonly reasons: readonly string[];
  /** Since when this has been so, ms. */
  readonly sinceMs: number;
  /** Until when who is told should believe it, ms. */
  readonly validUntilMs: number;
}
