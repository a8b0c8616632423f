/** What a broker of a test cluster is told. */
export interface BrokerSettings {
  readonly id: number;
  readonly nodes: number;
  /** Client port; the controller listens on the next one, SASL and TLS on the two after that. */
  readonly port: number;
  /** `127.0.0.1:PORT` of every controller, with commas. */
  readonly quorum: string;
  readonly dataDir: string;
  /** How long the controller waits for a silent broker, ms. */
  readonly brokerSessionMs: number;
  readonly extra: readonly string[];
  /** Listeners beside the plain one: `SASL`, `TLS`. */
  readonly listeners: readonly ('SASL' | 'TLS')[];
  /** Listeners of clients that come through a proxy. */
  readonly proxied: readonly ProxiedListener[];
}

/** A listener of one client's own: a broker names one address per listener, so a proxy before it needs one. */
export interface ProxiedListener {
  /** Letters, digits and dashes. */
  readonly client: string;
  /** Where the broker listens. */
  readonly port: number;
  /** Where it says that it does. */
  readonly advertisedPort: number;
}

/** `server.properties` of one combined broker and controller (KRaft), as a production cluster behaves, but small and quick. */
export function brokerProperties(settings: BrokerSettings): string {
  const { id, nodes, port, quorum, dataDir, brokerSessionMs, extra, listeners, proxied } = settings;
  const [replicas, inSync] = nodes === 1 ? [1, 1] : [3, 2];
  const more = listeners.map((name) => `${name}://127.0.0.1:${port + (name === 'SASL' ? 2 : 3)}`);
  const own = [`PLAINTEXT://127.0.0.1:${port}`, `CONTROLLER://127.0.0.1:${port + 1}`, ...more];
  const bound = proxied.map((each) => `${nameOf(each)}://127.0.0.1:${each.port}`);
  const advertised = proxied.map((each) => `${nameOf(each)}://127.0.0.1:${each.advertisedPort}`);
  const protocols = proxied.map((each) => `,${nameOf(each)}:PLAINTEXT`).join('');
  return [
    'process.roles=broker,controller',
    `node.id=${id}`,
    `controller.quorum.bootstrap.servers=${quorum}`,
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=PLAINTEXT',
    `listeners=${[...own, ...bound].join(',')}`,
    `advertised.listeners=${[...own, ...advertised].join(',')}`,
    `listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL${protocols}`,
    `log.dirs=${dataDir}`,
    'auto.create.topics.enable=false',
    `default.replication.factor=${replicas}`,
    `min.insync.replicas=${inSync}`,
    `offsets.topic.replication.factor=${replicas}`,
    `transaction.state.log.replication.factor=${replicas}`,
    `transaction.state.log.min.isr=${inSync}`,
    `share.coordinator.state.topic.replication.factor=${replicas}`,
    `share.coordinator.state.topic.min.isr=${inSync}`,
    // The defaults (50 partitions each) make a fresh broker slow and fat.
    'offsets.topic.num.partitions=4',
    'transaction.state.log.num.partitions=4',
    'share.coordinator.state.topic.num.partitions=2',
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=1000',
    `broker.session.timeout.ms=${brokerSessionMs}`,
    'broker.heartbeat.interval.ms=500',
    'log.segment.bytes=67108864',
    'log.cleaner.dedupe.buffer.size=4194304',
    ...extra,
    '',
  ].join('\n');
}

function nameOf({ client }: ProxiedListener): string {
  return client.toUpperCase();
}
