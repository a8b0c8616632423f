import { freePorts } from '@flyball/host';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Link } from '../link.ts';
import { brokerProperties, type BrokerSettings } from './kafka-properties.ts';
import { CACHE, hasCommand, NativeProcess } from './native-process.ts';
import { openRoads, PORTS_PER_CLIENT } from './kafka-roads.ts';
import type { MissingPart, RealPart, Ways } from './real-part.ts';

const VERSION = '4.4.0';
const JARS = join(CACHE, `kafka-${VERSION}`);
const POM = fileURLToPath(new URL('../../../../deploy/native/kafka-pom.xml', import.meta.url));
const LOG4J = fileURLToPath(new URL('../../../../deploy/native/kafka-log4j2.xml', import.meta.url));
/** Small and quick to start: serial collector, first compiler only. */
const JVM = [
  '-Xms128m',
  '-Xmx384m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xss512k',
  '-XX:+ExitOnOutOfMemoryError',
];
const READY = 'Kafka Server started';
const START_TIMEOUT_MS = 120_000;
/** Ports of a node beside those of proxied clients. */
const OWN_PORTS = 4;

/** How a native cluster is made. */
export interface KafkaOptions {
  readonly dir: string;
  /** Combined brokers and controllers: one, or three with three replicas of which two must be in sync. Default 1. */
  readonly nodes?: 1 | 3;
  /** How long the controller waits for a silent broker, ms. Default 2000. */
  readonly brokerSessionMs?: number;
  readonly listeners?: readonly ('SASL' | 'TLS')[];
  /** Further lines of `server.properties`. */
  readonly extra?: readonly string[];
  /** Clients that reach the nodes through fault proxies of their own: letters, digits and dashes. See `link`. */
  readonly clients?: readonly string[];
  /** SCRAM users to be there from the start: `SCRAM-SHA-256=[name=…,password=…]`. */
  readonly scram?: readonly string[];
  /** What a node finds in its environment beside ours. */
  readonly envOf?: (node: number) => Readonly<Record<string, string>>;
}

/** A Kafka cluster of native processes. Nodes are numbered from 1. */
export class NativeKafka implements RealPart {
  readonly url: string;
  readonly #dir: string;
  readonly #envOf: (node: number) => Readonly<Record<string, string>>;
  readonly #nodes = new Map<number, NativeProcess>();
  readonly #links: ReadonlyMap<string, Link>;

  private constructor({ dir, envOf = () => ({}) }: KafkaOptions, url: string, links: ReadonlyMap<string, Link>) {
    this.#dir = dir;
    this.#envOf = envOf;
    this.url = url;
    this.#links = links;
  }

  /** Gets what a node needs, once. Returns what is missing and how to get it, or `undefined`. */
  static missing(): Promise<string | undefined> {
    return ensureJars();
  }

  /** Formats a new folder and starts all nodes; or says what is missing, and how to get it. */
  static async start(options: KafkaOptions): Promise<NativeKafka | MissingPart> {
    const missing = await NativeKafka.missing();
    if (missing !== undefined) return { missing };
    const { dir, nodes = 1, brokerSessionMs = 2_000, listeners = [], extra = [], scram = [], clients = [] } = options;
    const portsPerNode = OWN_PORTS + PORTS_PER_CLIENT * clients.length;
    const firstPort = await freePorts(nodes * portsPerNode);
    const portOf = (id: number) => firstPort + (id - 1) * portsPerNode;
    const ids = Array.from({ length: nodes }, (_, index) => index + 1);
    const quorum = ids.map((id) => `127.0.0.1:${portOf(id) + 1}`).join(',');
    const voters = ids.map((id) => `${id}@127.0.0.1:${portOf(id) + 1}:${randomId()}`).join(',');
    const clusterId = randomId();
    const roads = await openRoads(clients, ids, (id) => portOf(id) + OWN_PORTS);
    const links = new Map(roads.map(({ client, proxies }) => [client, new Link(urlOf(proxies), proxies)]));
    const kafka = new NativeKafka(options, urlOf(ids.map((id) => ({ port: portOf(id) }))), links);
    const settings = { nodes, quorum, brokerSessionMs, listeners, extra };
    const prepare = (id: number) => {
      const proxied = roads.map((road) => road.listeners[id - 1]!);
      const own = { id, port: portOf(id), dataDir: dataDirOf(dir, id), proxied };
      return format(dir, { ...settings, ...own }, { clusterId, voters, scram });
    };
    try {
      await Promise.all(ids.map(prepare));
      // All of them are there, or not, before any is stopped.
      const failed = (await Promise.allSettled(ids.map((id) => kafka.startNode(id)))).find(isRejected);
      if (failed !== undefined) throw failed.reason;
      return kafka;
    } catch (error) {
      await kafka.stop();
      throw error;
    }
  }

  /** Starts a node that is not running, on the data that it had. */
  async startNode(id: number): Promise<void> {
    if (this.#nodes.get(id)?.isRunning === true) return;
    const node = await NativeProcess.start({
      command: 'java',
      args: [
        ...JVM,
        `-Dlog4j2.configurationFile=${LOG4J}`,
        '-cp',
        `${JARS}/*`,
        'kafka.Kafka',
        propertiesOf(this.#dir, id),
      ],
      env: this.#envOf(id),
      logFile: join(this.#dir, `n${id}`, 'out.log'),
      isReady: (log) => log.includes(READY),
      timeoutMs: START_TIMEOUT_MS,
    });
    this.#nodes.set(id, node);
  }

  /** The process of a node. */
  node(id: number): NativeProcess {
    return this.#nodes.get(id)!;
  }

  /** Where a node keeps its partitions. */
  dataDir(id: number): string {
    return dataDirOf(this.#dir, id);
  }

  /** The way of one of `clients` to all nodes. */
  link(client: string): Link {
    return this.#links.get(client)!;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.stop()));
    await Promise.all([...this.#links.values()].map((link) => link.stop()));
  }
}

function isRejected(result: PromiseSettledResult<void>): result is PromiseRejectedResult {
  return result.status === 'rejected';
}

function urlOf(nodes: readonly { readonly port: number }[]): string {
  return `kafka://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
}

function dataDirOf(dir: string, id: number): string {
  return join(dir, `n${id}`, 'data');
}

/** The ways to a Kafka for tests. */
export function kafkaWays(options: KafkaOptions): Ways {
  return {
    name: 'Kafka',
    urlVariable: 'FLYBALL_TEST_KAFKA_URL',
    container: async () => {
      const { GenericContainer, Wait } = await import('testcontainers');
      const port = await freePorts(1);
      const container = await new GenericContainer(`apache/kafka:${VERSION}`)
        .withExposedPorts({ container: 9092, host: port })
        .withEnvironment({
          KAFKA_NODE_ID: '1',
          KAFKA_PROCESS_ROLES: 'broker,controller',
          KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
          KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
          KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093',
          KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
          KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
          KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
        })
        .withWaitStrategy(Wait.forLogMessage(READY))
        .start();
      return { url: `kafka://127.0.0.1:${port}`, stop: async () => void (await container.stop()) };
    },
    native: () => NativeKafka.start(options),
  };
}

/** Gets the jars once. Returns what is missing, or `undefined`. */
async function ensureJars(): Promise<string | undefined> {
  if (!hasCommand('java')) return 'no java on the PATH: apt-get install -y openjdk-17-jre-headless maven';
  if (existsSync(join(JARS, 'complete'))) return undefined;
  if (!hasCommand('mvn')) return 'no mvn on the PATH: apt-get install -y maven';
  mkdirSync(JARS, { recursive: true });
  await promisify(execFile)('mvn', [
    ...['-q', '-B', '-f', POM, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${JARS}`],
  ]);
  writeFileSync(join(JARS, 'complete'), VERSION);
  return undefined;
}

async function format(
  dir: string,
  settings: BrokerSettings,
  { clusterId, voters, scram }: { clusterId: string; voters: string; scram: readonly string[] },
): Promise<void> {
  const path = propertiesOf(dir, settings.id);
  mkdirSync(join(dir, `n${settings.id}`), { recursive: true });
  writeFileSync(path, brokerProperties(settings));
  const users = scram.flatMap((user) => ['--add-scram', user]);
  await promisify(execFile)('java', [
    ...[...JVM, '-cp', `${JARS}/*`, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', path],
    ...['--initial-controllers', voters, ...users],
  ]);
}

function propertiesOf(dir: string, id: number): string {
  return join(dir, `n${id}`, 'server.properties');
}

/** 16 random bytes as Kafka writes ids. One that starts with a dash would be read as an option. */
function randomId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? randomId() : id;
}
