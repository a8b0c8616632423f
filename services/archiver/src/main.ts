import { type Drivers, driverOf, serve } from '@flyball/host';
import { openKafkaLog } from '@flyball/log-kafka';
import { openDirectoryObjects } from '@flyball/objects-dir';
import { openS3Objects } from '@flyball/objects-s3';
import { Archiver, ArchiverConfig } from './index.ts';

// The archiver as a process: every topic to object storage, and the log trimmed behind it.

const objects: Drivers['objects'] = { file: openDirectoryObjects, s3: openS3Objects };

await serve({
  name: 'archiver',
  schema: ArchiverConfig,
  drivers: { log: { kafka: openKafkaLog }, objects },
  start: async ({ config, env, log, files, objects: checkpoints, registry, logger }) => {
    const { archiveUrl } = config;
    const archive = archiveUrl === '' ? checkpoints : await driverOf(objects, archiveUrl)(archiveUrl, env, { files });
    const archiver = new Archiver(config, { log, checkpoints, archive, registry, logger });
    await archiver.start();
    return { lanes: () => archiver.health(), stop: () => archiver.stop() };
  },
});
