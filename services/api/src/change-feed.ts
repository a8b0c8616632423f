import { randomUUID } from 'node:crypto';

/** Changes that are kept for who comes back. */
const KEPT = 2_000;

/** One change of what the API shows. */
export interface Change {
  /** Grows by one with each, from 1. */
  readonly seq: number;
  /** `incident`, `command`, … */
  readonly event: string;
  readonly data: unknown;
}

/** What changed lately, for who follows it. In memory: a new process is a new feed, and its followers start over. */
export class ChangeFeed {
  readonly #run = randomUUID().slice(0, 8);
  readonly #followers = new Set<(change: Change) => void>();
  #kept: Change[] = [];
  #seq = 0;

  /** How many follow now. */
  get followers(): number {
    return this.#followers.size;
  }

  /** Tells all followers of a change. */
  publish(event: string, data: unknown): void {
    this.#seq += 1;
    const change = { seq: this.#seq, event, data };
    this.#kept.push(change);
    // Dropped in bulk: a shift per change is too slow.
    if (this.#kept.length > KEPT * 1.25) this.#kept = this.#kept.slice(-KEPT);
    for (const tell of this.#followers) tell(change);
  }

  /** Tells somebody of each change from now on. @returns what ends it. */
  follow(tell: (change: Change) => void): () => void {
    this.#followers.add(tell);
    return () => this.#followers.delete(tell);
  }

  /** Id of a change, or of the place before the first with 0. */
  idOf(seq: number): string {
    return `${this.#run}-${seq}`;
  }

  /** Id of the newest change. */
  get lastId(): string {
    return this.idOf(this.#seq);
  }

  /** Changes after an id; `undefined` when they are not known any more, or were another process's. */
  since(id: string): readonly Change[] | undefined {
    const [run, text = ''] = id.split('-');
    const seq = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    const firstSeq = this.#kept[0]?.seq ?? this.#seq + 1;
    if (run !== this.#run || !(seq <= this.#seq) || seq < firstSeq - 1) return undefined;
    return this.#kept.filter((change) => change.seq > seq);
  }
}
