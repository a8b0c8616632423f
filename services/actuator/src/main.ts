import { secretOf, serve } from '@flyball/host';
import { openKafkaLog } from '@flyball/log-kafka';
import { openDirectoryObjects } from '@flyball/objects-dir';
import { openS3Objects } from '@flyball/objects-s3';
import { readConnections } from '@flyball/outbound';
import { TwinTarget } from '@flyball/target-twin';
import { WebhookTarget } from '@flyball/target-webhook';
import { Actuator, ActuatorProcessConfig, listenControlPort, outcomeCounter } from './index.ts';

// The actuator as a process: it alone holds credentials to the world. Several may run; the first claim in the log acts.

await serve({
  name: 'actuator',
  schema: ActuatorProcessConfig,
  drivers: { log: { kafka: openKafkaLog }, objects: { file: openDirectoryObjects, s3: openS3Objects } },
  start: async ({ config, env, log, registry, logger }) => {
    const { pauseFile, twinUrl, connectionsFile, ...rest } = config;
    const webhooks = connectionsFile === '' ? [] : readConnections(connectionsFile, env, ['target']).connections;
    const twins = twinUrl === '' ? [] : [new TwinTarget(twinUrl)];
    const actuator = await Actuator.open(rest, {
      log,
      drivers: [...twins, ...webhooks.map((connection) => new WebhookTarget(connection))],
      pauseFile,
      onOutcome: outcomeCounter(registry),
      onError: (error) => logger.warn({ error }, 'tried again'),
    });
    actuator.start();
    const control = await listenControlPort(actuator.killSwitch, rest, secretOf(env, 'FLYBALL_CONTROL_TOKEN'));
    const stop = async () => {
      await actuator.stop();
      await control.close();
    };
    return { addresses: { actuator: `http://${rest.host}:${control.port}` }, stop };
  },
});
