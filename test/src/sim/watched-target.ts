import type { Command } from '@flyball/contracts';
import { FakeTarget } from '@flyball/testing';
import type { Applied, Inverted } from '@flyball/runtime';

/** Something that was done to a target. */
export interface Deed {
  readonly commandId: string;
  /** `apply`, or a step of the way back: the share of it, 0 to 1. */
  readonly what: 'apply' | number;
  readonly atMs: number;
}

/** A target that remembers what was done to it, and when. */
export class WatchedTarget extends FakeTarget {
  readonly deeds: Deed[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    super();
    this.#nowMs = nowMs;
  }

  override async apply(command: Command): Promise<Applied> {
    this.deeds.push({ commandId: command.commandId, what: 'apply', atMs: this.#nowMs() });
    return super.apply(command);
  }

  override async invert(command: Command, doneRatio: number): Promise<Inverted> {
    const inverted = await super.invert(command, doneRatio);
    if (inverted.status === 'done') {
      this.deeds.push({ commandId: command.commandId, what: doneRatio, atMs: this.#nowMs() });
    }
    return inverted;
  }
}
