import { type Assessment, type Callers, type Calm, type Scope, scopeKey, type Signal } from '@flyball/contracts';

/** What is held until every detector lane has passed its end. */
export type HeldItem = Assessment | Callers | Signal | Calm;

/** All that is held of one environment and instant, in order. */
export interface Ripe {
  readonly atMs: number;
  readonly scope: Scope;
  readonly items: readonly HeldItem[];
}

/**
 * Holds assessments and signals, and gives them out by (end, environment, service, series): the order in which
 * detector lanes ran cannot show.
 */
export class Held {
  #items: HeldItem[] = [];

  add(item: HeldItem): void {
    this.#items.push(item);
  }

  clear(): void {
    this.#items = [];
  }

  /** Takes out all that ended by `atMs`. */
  ripe(atMs: number): readonly Ripe[] {
    const groups = new Map<string, { atMs: number; scope: Scope; items: HeldItem[] }>();
    const rest: HeldItem[] = [];
    for (const item of this.#items) {
      if (item.endMs > atMs) rest.push(item);
      else {
        const key = `${String(item.endMs).padStart(16, '0')} ${scopeKey(item.subject)}`;
        const group = groups.get(key) ?? { atMs: item.endMs, scope: item.subject, items: [] };
        groups.set(key, group);
        group.items.push(item);
      }
    }
    this.#items = rest;
    return [...groups]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, group]) => ({ ...group, items: group.items.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)) }));
  }

  /** In a fixed order, so that the same history gives the same snapshot. */
  save(): readonly HeldItem[] {
    return this.#items;
  }

  restore(saved: readonly HeldItem[]): void {
    this.#items = [...saved];
  }
}

/** What is known comes before what is wrong, and what is over last; then by service and series. */
const ORDER = { assessment: 0, callers: 1, signal: 2, calm: 3 } as const;

function orderOf(item: HeldItem): string {
  const series =
    item.type === 'signal' ? `${item.series} ${item.episodeId}` : item.type === 'calm' ? item.episodeId : '';
  return `${ORDER[item.type]} ${item.subject.service} ${series}`;
}
