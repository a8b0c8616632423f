import type { LaneHealth, Logger } from '@flyball/host';
import { listenNotifierPort, Notifier, NOTIFIER_KINDS } from '@flyball/notifier';
import { readConnections } from '@flyball/outbound';
import type { Log, Objects, TargetDriver } from '@flyball/runtime';
import { TwinTarget } from '@flyball/target-twin';
import { WebhookTarget } from '@flyball/target-webhook';
import type { Registry } from 'prom-client';
import type { StandaloneOptions } from './options.ts';
import { listenFrom } from './ports.ts';

/** The notifier of this process, while it runs. */
export interface RunningNotifier {
  /** Its own port. */
  readonly port: number;
  stop(): Promise<void>;
}

type Told = ReturnType<typeof readConnections<(typeof NOTIFIER_KINDS)[number]>>;

/** What the notifier of one process runs on. */
interface NotifierPorts {
  readonly log: Log;
  readonly objects: Objects;
  readonly lanes: () => Promise<readonly LaneHealth[]>;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly connections: Told;
}

/**
 * What the settings name of the outside: drivers that commands act through, with their names, and who is told. Read before
 * anything runs.
 *
 * @throws {RejectedError} `CONNECTIONS_INVALID`
 */
export function outsideOf({ connectionsFile, twinUrl }: StandaloneOptions['standalone']) {
  const isNone = connectionsFile === '';
  const targets = isNone ? [] : readConnections(connectionsFile, process.env, ['target']).connections;
  const connections: Told = isNone
    ? { connections: [], deadman: undefined }
    : readConnections(connectionsFile, process.env, NOTIFIER_KINDS);
  const twins = twinUrl === '' ? [] : [new TwinTarget(twinUrl)];
  const drivers: readonly TargetDriver[] = [...twins, ...targets.map((target) => new WebhookTarget(target))];
  return { drivers, driverNames: drivers.map(({ name }) => name), connections };
}

/** Starts the notifier with its connections, and its own port. @throws {UnavailableError} `PORT_TAKEN` */
export async function startNotifier(
  ports: NotifierPorts,
  { notifier: config, standalone: { takesFreePort } }: StandaloneOptions,
  token: string,
): Promise<RunningNotifier> {
  const notifier = new Notifier(config, ports);
  await notifier.start();
  const { port, close } = await listenFrom(config.port, takesFreePort, (free) =>
    listenNotifierPort(notifier, { ...config, port: free }, token),
  );
  const stop = async () => {
    await notifier.stop();
    await close();
  };
  return { port, stop };
}
