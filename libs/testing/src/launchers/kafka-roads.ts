import { FaultProxy } from '../fault-proxy.ts';
import type { ProxiedListener } from './kafka-properties.ts';

/** The way of one client to all nodes of a cluster, one entry per node. */
interface Road {
  readonly client: string;
  readonly proxies: readonly FaultProxy[];
  readonly listeners: readonly ProxiedListener[];
}

/** Ports that a node needs for each client: the broker's, and the proxy's before it. */
export const PORTS_PER_CLIENT = 2;

/**
 * Opens a proxy for each client before each node; the nodes may come later.
 *
 * @param firstPortOf - the first of a node's ports for clients: it needs {@link PORTS_PER_CLIENT} for each.
 */
export function openRoads(
  clients: readonly string[],
  nodes: readonly number[],
  firstPortOf: (node: number) => number,
): Promise<readonly Road[]> {
  return Promise.all(
    clients.map(async (client, index) => {
      const ports = nodes.map((node) => firstPortOf(node) + PORTS_PER_CLIENT * index);
      const proxies = await Promise.all(ports.map((port) => FaultProxy.start(port, port + 1)));
      const listeners = ports.map((port, at) => ({ client, port, advertisedPort: proxies[at]!.port }));
      return { client, proxies, listeners };
    }),
  );
}
