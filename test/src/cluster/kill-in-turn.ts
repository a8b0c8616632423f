import type { Cluster } from './cluster.ts';

/**
 * Kills one process of a cluster after another, as somebody outside would.
 *
 * @param everyMs - time for each to come back, and for its lanes to settle.
 * @param onKilled - told of each.
 * @returns what ends it.
 */
export function killInTurn({ services }: Cluster, everyMs: number, onKilled: (name: string) => void): () => void {
  const { names } = services;
  let turn = 0;
  const timer = setInterval(() => {
    const name = names[turn % names.length]!;
    turn += 1;
    if (services.strike(name)) onKilled(name);
  }, everyMs);
  return () => clearInterval(timer);
}
