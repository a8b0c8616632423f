import { AuditFiles } from '@flyball/audit-files';
import { LaneSet, serve } from '@flyball/host';
import { openKafkaLog } from '@flyball/log-kafka';
import { openDirectoryObjects } from '@flyball/objects-dir';
import { openS3Objects } from '@flyball/objects-s3';
import { Line } from '@flyball/runtime';
import { AuditorConfig, auditorSpecs } from './index.ts';

// The auditor as a process: chains facts in log order, and signs the chain into files that can be checked offline.

await serve({
  name: 'auditor',
  schema: AuditorConfig,
  drivers: { log: { kafka: openKafkaLog }, objects: { file: openDirectoryObjects, s3: openS3Objects } },
  start: async ({ config, host, log, objects, rawPartitions, logger }) => {
    const line = new Line({ lanes: host.lanes, rawPartitions, nodeVersion: process.version }, []);
    const lanes = new LaneSet(auditorSpecs(line), { log, objects }, logger);
    await lanes.start('auditor');
    const files = new AuditFiles(log, config.dir);
    await files.start();
    const stop = async () => {
      await lanes.stop();
      await files.stop();
    };
    return { lanes: () => lanes.health(), stop };
  },
});
