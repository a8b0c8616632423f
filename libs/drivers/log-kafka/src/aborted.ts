/** A transaction of a foreign producer that was aborted, as a broker tells of it beside a fetch. */
export interface Aborted {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** One batch, as far as transactions are concerned. */
export interface TransactionalBatch {
  readonly producerId: bigint;
  readonly baseOffset: bigint;
  readonly isTransactional: boolean;
  /** Whether it is the marker that ends a transaction. */
  readonly isControl: boolean;
}

/**
 * Knows, batch after batch in order, which belong to an aborted transaction. A producer has one transaction at a time, so that
 * its next marker ends it.
 *
 * Source: KIP-98, "Exactly Once Delivery and Transactional Messaging", consumer with isolation level `read_committed`.
 */
export class AbortedTransactions {
  #coming: readonly Aborted[];
  readonly #open = new Set<bigint>();

  constructor(aborted: readonly Aborted[]) {
    this.#coming = aborted;
  }

  /** Takes the next batch. Returns whether what it holds never happened. */
  take({ producerId, baseOffset, isTransactional, isControl }: TransactionalBatch): boolean {
    if (!isTransactional) return false;
    const [begun, coming] = [this.#coming.filter((each) => each.firstOffset <= baseOffset), this.#coming];
    if (begun.length > 0) this.#coming = coming.filter((each) => each.firstOffset > baseOffset);
    for (const each of begun) this.#open.add(each.producerId);
    if (isControl) this.#open.delete(producerId);
    return this.#open.has(producerId);
  }
}
