import { KafkaLog } from '@flyball/log-kafka';
import { createTopics } from '@flyball/runtime';
import {
  findPart,
  type Link,
  type MissingPart,
  NativeKafka,
  type RealPart,
  redisWays,
  s3Ways,
  SettableClock,
} from '@flyball/testing';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { clientsOf, ClusterLinks, type LinkName } from './cluster-links.ts';
import { clusterSettings, type Settings } from './settings.ts';
import { type Hello, type ProcessPlan, type ServiceOptions, ServiceProcesses } from './service-processes.ts';

/** How a cluster on one machine is made. */
export interface ClusterOptions {
  readonly dir: string;
  /** Brokers. Default 1. */
  readonly brokers?: 1 | 3;
  /** Further lines of the brokers' `server.properties`. */
  readonly brokerLines?: readonly string[];
  /** Lanes of every topic of ours, and raw partitions; as in the compose file, if not given. */
  readonly lanes?: number;
  readonly rawPartitions?: number;
  /** Processes per service; default 1. The auditor is always one. */
  readonly processes?: Readonly<Record<string, number>>;
  /** Settings by service, as in a settings file. */
  readonly settings?: Settings;
  /** Processes and brokers whose clock can be set while they run: `ingest-1`, `broker-1`. Needs {@link SettableClock}. */
  readonly clocks?: readonly string[];
  readonly token: string;
  readonly policiesDir?: string;
  readonly twinUrl?: string;
  /** File or folder of connections that the notifier tells of incidents. */
  readonly connectionsFile?: string;
  /** What services find in their environment beside what all find: secrets of connections. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Ways of a process to a server that go through a fault proxy; default none. */
  readonly links?: readonly LinkName[];
  /** Where services find the object store, given where it is: something that stands before it. */
  readonly objectsVia?: (url: string) => Promise<string>;
  /** Told of everything that is there, as it comes. */
  readonly onStarted?: (what: string, where: string) => void;
  /** See {@link ServiceOptions.onRevived}. */
  readonly onRevived?: ServiceOptions['onRevived'];
}

/** Readers before writers: who reads is there before who writes. */
const SERVICES = [
  'auditor',
  'actuator',
  'planner',
  'detector',
  'aggregator',
  'archiver',
  'notifier',
  'api',
  'ingest',
] as const;

/** A service of a deployment. */
export type Service = (typeof SERVICES)[number];

/** The whole of Flyball as processes of their own, over real servers. */
export class Cluster {
  readonly kafka: NativeKafka;
  readonly redis: RealPart;
  readonly s3: RealPart;
  readonly services: ServiceProcesses;
  readonly dir: string;
  readonly token: string;
  readonly #links: ClusterLinks;
  readonly #clocks: ReadonlyMap<string, SettableClock>;

  private constructor({ kafka, redis, s3, clocks }: Servers, links: ClusterLinks, options: ClusterOptions) {
    this.#clocks = clocks;
    this.kafka = kafka;
    this.redis = redis;
    this.s3 = s3;
    this.#links = links;
    this.dir = options.dir;
    this.token = options.token;
    const { token } = options;
    const tokens = { FLYBALL_TOKEN: token, FLYBALL_CONTROL_TOKEN: token, FLYBALL_CONNECTIONS_TOKEN: token };
    const env = { ...tokens, ...options.secrets, ...redis.env, ...s3.env };
    this.services = new ServiceProcesses(env, { logDir: options.dir, onRevived: options.onRevived });
  }

  /** Starts servers, creates topics, starts every service. @throws with one line on what is missing, and how to get it. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const { onStarted = () => undefined } = options;
    const servers = await startServers(options, onStarted);
    const { links: names = [], twinUrl } = options;
    const links = await ClusterLinks.open(names, servers, twinUrl);
    const cluster = new Cluster(servers, links, options);
    try {
      const objectsUrl = (await options.objectsVia?.(servers.s3.url)) ?? servers.s3.url;
      const { lanes, rawPartitions } = writeSettings(options, servers, objectsUrl);
      const log = await KafkaLog.open({ url: servers.kafka.url });
      await createTopics(log, { lanes, rawPartitions }).finally(() => log.close());
      for (const service of SERVICES) {
        for (const plan of plansOf(service, options, { links, clocks: servers.clocks })) {
          const hello = await cluster.services.start(plan);
          onStarted(plan.name, hello.api ?? hello.otlpGrpc ?? hello.notifier ?? hello.health);
        }
      }
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Where the first process of a service listens. */
  hello(service: Service): Hello {
    return this.services.hello(`${service}-1`);
  }

  /** Settings that its services were started with. */
  get settings(): Settings {
    return parse(readFileSync(settingsFile(this.dir), 'utf8')) as Settings;
  }

  /** The clock of a process that was started with one. */
  clock(name: string): SettableClock {
    return this.#clocks.get(name)!;
  }

  /** kill -9 of all services. */
  async killServices(): Promise<void> {
    await Promise.all(this.services.names.map((name) => this.services.kill(name)));
  }

  /** A way that was asked for in the options, to be hurt. */
  link(name: LinkName): Link {
    return this.#links.link(name);
  }

  /** Names of the processes of a service. */
  processesOf(service: Service): readonly string[] {
    return this.services.names.filter((name) => name.startsWith(`${service}-`));
  }

  /** Starts all services again. */
  async restartServices(): Promise<void> {
    await Promise.all(this.services.names.map((name) => this.services.restart(name)));
  }

  async stop(): Promise<void> {
    await this.services.stop();
    await Promise.all([this.kafka.stop(), this.redis.stop(), this.s3.stop(), this.#links.stop()]);
  }
}

function settingsFile(dir: string): string {
  return join(dir, 'flyball.yaml');
}

/** The real servers of a cluster. */
export interface Servers {
  readonly kafka: NativeKafka;
  readonly redis: RealPart;
  readonly s3: RealPart;
  readonly clocks: ReadonlyMap<string, SettableClock>;
}

/** Starts the real servers; one that is missing stops those that were started. */
async function startServers(
  { dir, brokers: nodes = 1, brokerLines: extra = [], links = [], clocks: clocked = [] }: ClusterOptions,
  onStarted: (what: string, where: string) => void,
): Promise<Servers> {
  const started: RealPart[] = [];
  const take = async <T extends RealPart>(name: string, starting: Promise<T | MissingPart>): Promise<T> => {
    const part = await starting.catch((error: unknown) => ({ missing: String(error) }));
    if ('missing' in part) {
      await Promise.all(started.map((each) => each.stop()));
      throw new Error(`${name} is missing: ${part.missing}`);
    }
    started.push(part);
    onStarted(name, part.url);
    return part;
  };
  const clocks = new Map(clocked.map((name) => [name, new SettableClock(join(dir, 'clocks', name))]));
  const envOf = (node: number) => clocks.get(`broker-${node}`)?.env ?? {};
  const redis = await take('Redis', findPart(redisWays(join(dir, 'redis'))));
  const s3 = await take('S3', findPart(s3Ways(join(dir, 's3'))));
  const clients = clientsOf(links, 'kafka');
  const kafka = await take('Kafka', NativeKafka.start({ dir: join(dir, 'kafka'), nodes, extra, clients, envOf }));
  return { kafka, redis, s3, clocks };
}

/** Writes the settings file of all services. */
function writeSettings(
  { dir, settings = {}, lanes, rawPartitions }: ClusterOptions,
  { kafka, redis }: Servers,
  objectsUrl: string,
): { readonly lanes: number; readonly rawPartitions: number } {
  const urls = { logUrl: kafka.url, hotUrl: redis.url, objectsUrl };
  const counts = { ...(lanes !== undefined && { lanes }), ...(rawPartitions !== undefined && { rawPartitions }) };
  const all = clusterSettings(urls, dir, { ...settings, host: { ...settings['host'], ...counts } });
  mkdirSync(dir, { recursive: true });
  writeFileSync(settingsFile(dir), stringify(all));
  return all['host'] as { lanes: number; rawPartitions: number };
}

function plansOf(
  service: string,
  options: ClusterOptions,
  { links, clocks }: { readonly links: ClusterLinks; readonly clocks: ReadonlyMap<string, SettableClock> },
): readonly ProcessPlan[] {
  const { dir, policiesDir, twinUrl, connectionsFile, processes = {} } = options;
  const own: Readonly<Record<string, readonly string[]>> = {
    actuator: twinUrl === undefined ? [] : [`--twin-url=${twinUrl}`],
    notifier: connectionsFile === undefined ? [] : [`--connections-file=${connectionsFile}`],
    api: policiesDir === undefined ? [] : [`--policies-dir=${policiesDir}`],
  };
  const count = service === 'auditor' ? 1 : (processes[service] ?? 1);
  return Array.from({ length: count }, (_, index) => {
    const name = `${service}-${index + 1}`;
    // The last of two equal flags wins.
    const args = [`--config=${settingsFile(dir)}`, ...(own[service] ?? []), ...links.flagsOf(name)];
    return { name, service, args, env: clocks.get(name)?.env ?? {} };
  });
}
