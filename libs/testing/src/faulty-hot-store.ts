import type { WindowKind } from '@flyball/contracts';
import { UnavailableError } from '@flyball/core';
import type { HotBatch, HotProgress, HotService, HotStore } from '@flyball/runtime';

/** What happens to the next call: nothing, an error before it took effect, an error after. */
export type HotFault = 'none' | 'before' | 'after';

/** A hot store that fails as told, and can be emptied, as a server that is restarted. */
export class FaultyHotStore implements HotStore {
  /** Asked before every call. */
  fault: () => HotFault = () => 'none';
  readonly #make: () => HotStore;
  #store: HotStore;

  /** @param make - gives an empty store. */
  constructor(make: () => HotStore) {
    this.#make = make;
    this.#store = make();
  }

  /** Forgets everything. */
  empty(): void {
    this.#store = this.#make();
  }

  apply(batch: HotBatch): Promise<boolean> {
    return this.#call((store) => store.apply(batch));
  }

  services(): Promise<readonly HotService[]> {
    return this.#call((store) => store.services());
  }

  service(key: string): Promise<HotService | undefined> {
    return this.#call((store) => store.service(key));
  }

  windows(key: string, kind: WindowKind, newestMax?: number): Promise<readonly Uint8Array[]> {
    return this.#call((store) => store.windows(key, kind, newestMax));
  }

  progress(): Promise<ReadonlyMap<string, HotProgress>> {
    return this.#call((store) => store.progress());
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #call<T>(work: (store: HotStore) => Promise<T>): Promise<T> {
    const fault = this.fault();
    if (fault === 'before') throw new UnavailableError('HOT_UNAVAILABLE', 'the hot store failed');
    const answer = await work(this.#store);
    if (fault === 'after') throw new UnavailableError('HOT_UNAVAILABLE', 'the hot store failed');
    return answer;
  }
}
