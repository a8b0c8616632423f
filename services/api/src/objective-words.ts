import type { ControlMessage } from '@flyball/contracts';

/** What a service promises: this share of its requests succeeds, over this time. */
export interface Objective {
  /** 0 to 1. */
  readonly objectiveRatio: number;
  readonly windowMs: number;
}

/** Objectives as the words on record say them; the newest of a service counts. */
export class ObjectiveWords {
  readonly #objectives = new Map<string, Objective>();

  /** Takes in a word; others than objectives say nothing here. */
  hear(word: ControlMessage): void {
    if (word.type !== 'slo') return;
    const { environment, service, objectiveRatio, windowMs } = word;
    this.#objectives.set(JSON.stringify([environment, service]), { objectiveRatio, windowMs });
  }

  /** Of a service; `null` where it promises nothing. */
  of({ environment, service }: { readonly environment: string; readonly service: string }): Objective | null {
    return this.#objectives.get(JSON.stringify([environment, service])) ?? null;
  }
}
