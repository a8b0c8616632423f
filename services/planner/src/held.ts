import { type Assessment, type Scope, scopeKey, type Signal } from '@flyball/contracts';

/** What is held until every detector lane has passed its end. */
export type HeldItem = Assessment | Signal;

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

/** Assessments come before signals; then by service and series. */
function orderOf(item: HeldItem): string {
  const series = item.type === 'signal' ? `1 ${item.version} ${item.sli} ${item.episodeId}` : '0';
  return `${series.slice(0, 1)} ${item.subject.service} ${series}`;
}
