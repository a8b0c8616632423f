/** What the answer to one try was. */
export type Fate =
  | { readonly kind: 'acked' }
  /** The answer named why nothing was stored: `INGEST_DRAINING`. */
  | { readonly kind: 'refused'; readonly name: string }
  /** Nobody can tell: the connection was cut, there was no answer in time, or the answer says just that. */
  | { readonly kind: 'unknown'; readonly name: string };

/** All that the sender knows of a request. */
export interface LedgerEntry {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly spans: number;
  acked: number;
  unknown: number;
  refused: number;
  /** Why it was refused, or is unknown, try by try. */
  readonly names: string[];
  /** When its first try had left the sender, ms since the Unix epoch; `undefined` until it has. A sender that is busy keeps it for a while. */
  leftAtMs: number | undefined;
}

/** What was sent, and what became of it as far as its sender can know. */
export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>();
  readonly #names = new Map<string, number>();

  /** Puts a request on record before its first try. */
  sent(id: string, bytes: Uint8Array, spans: number): LedgerEntry {
    const entry = { id, bytes, spans, acked: 0, unknown: 0, refused: 0, names: [], leftAtMs: undefined };
    this.#entries.set(id, entry);
    return entry;
  }

  /** Puts the answer to one try on record. */
  answered(entry: LedgerEntry, fate: Fate): void {
    entry[fate.kind] += 1;
    if (fate.kind !== 'acked') entry.names.push(fate.name);
    const name = fate.kind === 'acked' ? 'acked' : `${fate.kind} ${fate.name}`;
    this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
  }

  get entries(): readonly LedgerEntry[] {
    return [...this.#entries.values()];
  }

  get ackedRequests(): number {
    return this.#names.get('acked') ?? 0;
  }

  /** Tries by their answer: `acked`, `refused INGEST_DRAINING`, `unknown connection`. */
  get names(): ReadonlyMap<string, number> {
    return this.#names;
  }
}
