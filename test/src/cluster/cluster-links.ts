import { FaultProxy, Link } from '@flyball/testing';
import type { Servers, Service } from './cluster.ts';

const FLAGS = { kafka: 'log-url', redis: 'hot-url', s3: 'objects-url', twin: 'twin-url' } as const;

/** A way of one process to a server: `aggregator-1>kafka`. */
export type LinkName = `${Service}-${number}>${keyof typeof FLAGS}`;

/** Ways of processes to servers that go through fault proxies. */
export class ClusterLinks {
  readonly #links: ReadonlyMap<string, Link>;

  private constructor(links: ReadonlyMap<string, Link>) {
    this.#links = links;
  }

  /** Opens the ways; the servers are there, whoever is acted on need not be. */
  static async open(names: readonly LinkName[], servers: Servers, twinUrl: string | undefined): Promise<ClusterLinks> {
    const { kafka, redis, s3 } = servers;
    const links = new Map<string, Link>();
    for (const name of names) {
      const [client, server] = partsOf(name);
      const urls = { redis: redis.url, s3: s3.url, twin: twinUrl };
      links.set(name, server === 'kafka' ? kafka.link(client) : await linkTo(urls[server]!));
    }
    return new ClusterLinks(links);
  }

  link(name: LinkName): Link {
    return this.#links.get(name)!;
  }

  /** Flags that send a process its own ways. */
  flagsOf(process: string): readonly string[] {
    const own = [...this.#links].filter(([name]) => partsOf(name)[0] === process);
    return own.map(([name, { url }]) => `--${FLAGS[partsOf(name)[1]]}=${url}`);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.stop()));
  }
}

/** Processes that reach a server through a proxy. */
export function clientsOf(names: readonly LinkName[], server: keyof typeof FLAGS): readonly string[] {
  return names.map(partsOf).flatMap(([client, to]) => (to === server ? [client] : []));
}

function partsOf(name: string): readonly [client: string, server: keyof typeof FLAGS] {
  const [client, server] = name.split('>');
  return [client!, server as keyof typeof FLAGS];
}

/** A proxy before the one address on this machine that a URL names. */
async function linkTo(url: string): Promise<Link> {
  const address = /127\.0\.0\.1:(\d+)/;
  const port = Number(address.exec(url)![1]);
  const proxy = await FaultProxy.start(port);
  return new Link(url.replace(address, `127.0.0.1:${proxy.port}`), [proxy]);
}
