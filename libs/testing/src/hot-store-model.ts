import type { WindowKind } from '@flyball/contracts';
import { textOf } from '@flyball/core';
import type { HotBatch, HotChange, HotProgress, HotService } from '@flyball/runtime';

/** What a hot store must show: it remembers every change, and works out each answer from all of them. */
export class HotStoreModel {
  readonly progress = new Map<string, HotProgress>();
  readonly #windowsMax: number;
  readonly #changes: HotChange[] = [];

  constructor(windowsMax: number) {
    this.#windowsMax = windowsMax;
  }

  apply({ lane, fromOffset, offset, isFirst, isCaughtUp, changes }: HotBatch): boolean {
    const known = this.progress.get(lane);
    if (known === undefined || known.offset < fromOffset) {
      if (!isFirst) return false;
      this.progress.set(lane, { offset, isCaughtUp });
    } else if (offset >= known.offset) {
      this.progress.set(lane, { offset, isCaughtUp });
    } else if (isFirst) {
      this.progress.set(lane, { offset: known.offset, isCaughtUp });
    }
    this.#changes.push(...changes);
    return true;
  }

  services(): HotService[] {
    const keys = [...new Set(this.#changes.map(({ key }) => key))].sort();
    return keys.filter((key) => this.#alive(key).length > 0).map((key) => this.#service(key));
  }

  windows(key: string, kind: WindowKind): string[] {
    const of = new Map<number, string>();
    for (const change of this.#alive(key)) {
      if (change.type === 'window' && change.kind === kind) of.set(change.endMs, textOf(change.value));
    }
    const inOrder = [...of].sort(([a], [b]) => a - b).map(([, text]) => text);
    return inOrder.slice(-this.#windowsMax);
  }

  #service(key: string): HotService {
    const alive = this.#alive(key);
    const heard = alive.filter((change) => change.type === 'window' && change.isHeard).map(({ endMs }) => endMs);
    const judged = alive.filter((change) => change.type === 'assessment').sort((a, b) => a.endMs - b.endMs);
    return { key, assessment: judged.at(-1)?.value, lastSeenAtMs: heard.length === 0 ? null : Math.max(...heard) };
  }

  /** What was said of a subject since it was gone. */
  #alive(key: string): Exclude<HotChange, { type: 'gone' }>[] {
    const of = this.#changes.filter((change) => change.key === key);
    const goneMs = Math.max(-1, ...of.filter(({ type }) => type === 'gone').map(({ endMs }) => endMs));
    return of.filter((change) => change.type !== 'gone').filter(({ endMs }) => endMs > goneMs);
  }
}
