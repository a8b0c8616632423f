/**
 * The largest of the last surprises. Plain data: it is a part of a snapshot. Only those that no later one exceeds are
 * kept, so there are few.
 */
export interface HoldState {
  rows: number;
  /** `[row, surprise]`, rows ascending, surprises descending. */
  recent: [number, number][];
}

/** A hold of which nothing is known. */
export function newHold(): HoldState {
  return { rows: 0, recent: [] };
}

/** The largest surprise of the last `holdRows` rows, 0 when there was none; then adds one. */
export function heldBefore(state: HoldState, surprise: number, holdRows: number): number {
  const { recent } = state;
  while (recent.length > 0 && recent[0]![0] < state.rows - holdRows) recent.shift();
  const held = recent[0]?.[1] ?? 0;
  while (recent.length > 0 && recent.at(-1)![1] <= surprise) recent.pop();
  recent.push([state.rows, surprise]);
  state.rows += 1;
  return held;
}
