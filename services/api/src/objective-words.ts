import type { ControlMessage, Objective } from '@flyball/contracts';

/** Services that are kept; the one that was spoken of longest ago goes. */
const KEPT_MAX = 10_000;

/** Objectives as the words on record say them; the newest of each SLI of a service counts. */
export class ObjectiveWords {
  readonly #objectives = new Map<string, readonly Objective[]>();

  /** Takes in a word; others than objectives say nothing here. */
  hear(word: ControlMessage): void {
    if (word.type !== 'slo') return;
    const { sli = 'errors', objectiveRatio, windowMs, thresholdMs = null } = word;
    const key = keyOf(word);
    const others = (this.#objectives.get(key) ?? []).filter((each) => each.sli !== sli);
    const all = [...others, { sli, objectiveRatio, windowMs, thresholdMs }];
    this.#objectives.delete(key);
    this.#objectives.set(
      key,
      all.sort((a, b) => (a.sli < b.sli ? -1 : 1)),
    );
    if (this.#objectives.size > KEPT_MAX) this.#objectives.delete(this.#objectives.keys().next().value!);
  }

  /** Of a service, that of failures first; empty where it promises nothing. */
  of(service: { readonly environment: string; readonly service: string }): readonly Objective[] {
    return this.#objectives.get(keyOf(service)) ?? [];
  }
}

function keyOf({ environment, service }: { readonly environment: string; readonly service: string }): string {
  return JSON.stringify([environment, service]);
}
