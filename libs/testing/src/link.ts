import type { FaultProxy, LinkFault } from './fault-proxy.ts';

/** The way of one client to a server, or to every node of a cluster: what is done to it is done to all its connections. */
export class Link {
  /** Where the client finds the server. */
  readonly url: string;
  readonly #proxies: readonly FaultProxy[];

  constructor(url: string, proxies: readonly FaultProxy[]) {
    this.url = url;
    this.#proxies = proxies;
  }

  set(fault: LinkFault): void {
    for (const proxy of this.#proxies) proxy.set(fault);
  }

  /** Every byte is late by so much, each way, ms. */
  delay(delayMs: number): void {
    for (const proxy of this.#proxies) proxy.delayMs = delayMs;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
  }
}
