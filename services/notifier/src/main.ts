import { secretOf, serve } from '@flyball/host';
import { openKafkaLog } from '@flyball/log-kafka';
import { openDirectoryObjects } from '@flyball/objects-dir';
import { openS3Objects } from '@flyball/objects-s3';
import { readConnections } from '@flyball/outbound';
import { listenNotifierPort, Notifier, NOTIFIER_KINDS, NotifierProcessConfig } from './index.ts';

// The notifier as a process: incidents go out to named connections, and a dead-man signal while all is well.

await serve({
  name: 'notifier',
  schema: NotifierProcessConfig,
  drivers: { log: { kafka: openKafkaLog }, objects: { file: openDirectoryObjects, s3: openS3Objects } },
  start: async ({ config, env, log, objects, registry, logger }) => {
    const { connectionsFile, ...rest } = config;
    const connections =
      connectionsFile === ''
        ? { connections: [], deadman: undefined }
        : readConnections(connectionsFile, env, NOTIFIER_KINDS);
    const token = secretOf(env, 'FLYBALL_CONNECTIONS_TOKEN');
    const notifier = new Notifier(rest, { log, objects, connections, registry, logger });
    await notifier.start();
    const port = await listenNotifierPort(notifier, rest, token);
    const stop = async () => {
      await notifier.stop();
      await port.close();
    };
    return { addresses: { notifier: `http://${rest.host}:${port.port}` }, stop };
  },
});
