import { FaultProxy } from '../fault-proxy.ts';
import type { ProxiedListener } from './kafka-properties.ts';

/** The way of one client to all nodes of a cluster, one entry per node. */
interface Road {
  readonly client: string;
  readonly proxies: readonly FaultProxy[];
  readonly listeners: readonly ProxiedListener[];
}

/**
 * Opens a proxy for each client before each node; the nodes may come later.
 *
 * @param firstPortOf - the first of a node's ports for clients: it needs one for each.
 */
export function openRoads(
  clients: readonly string[],
  nodes: readonly number[],
  firstPortOf: (node: number) => number,
): Promise<readonly Road[]> {
  return Promise.all(
    clients.map(async (client, index) => {
      const ports = nodes.map((node) => firstPortOf(node) + index);
      const proxies = await Promise.all(ports.map((port) => FaultProxy.start(port)));
      const listeners = ports.map((port, at) => ({ client, port, advertisedPort: proxies[at]!.port }));
      return { client, proxies, listeners };
    }),
  );
}
