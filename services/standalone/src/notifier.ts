import type { LaneHealth, Logger } from '@flyball/host';
import { listenNotifierPort, Notifier, NOTIFIER_KINDS } from '@flyball/notifier';
import { readConnections } from '@flyball/outbound';
import type { Log, Objects } from '@flyball/runtime';
import type { Registry } from 'prom-client';
import type { StandaloneOptions } from './options.ts';
import { listenFrom } from './ports.ts';

/** The notifier of this process, while it runs. */
export interface RunningNotifier {
  /** Its own port. */
  readonly port: number;
  stop(): Promise<void>;
}

/** What the notifier of one process runs on. */
interface NotifierPorts {
  readonly log: Log;
  readonly objects: Objects;
  readonly lanes: () => Promise<readonly LaneHealth[]>;
  readonly registry: Registry;
  readonly logger: Logger;
}

/** Starts the notifier with the connections of the file, and its own port. @throws {RejectedError} `CONNECTIONS_INVALID` */
export async function startNotifier(
  ports: NotifierPorts,
  { notifier: config, standalone: { connectionsFile, takesFreePort } }: StandaloneOptions,
  token: string,
): Promise<RunningNotifier> {
  const connections =
    connectionsFile === ''
      ? { connections: [], deadman: undefined }
      : readConnections(connectionsFile, process.env, NOTIFIER_KINDS);
  const notifier = new Notifier(config, { ...ports, connections });
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
