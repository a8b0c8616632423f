import { AuditFiles } from '@flyball/audit-files';
import { LaneSet, partHealth, serve } from '@flyball/host';
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
  start: async ({ config, host, log, objects, files, rawPartitions, logger }) => {
    const line = new Line({ lanes: host.lanes, rawPartitions, nodeVersion: process.version }, []);
    const lanes = new LaneSet(auditorSpecs(line), { log, objects }, logger);
    const audit = new AuditFiles(log, config.dir, files);
    await audit.start();
    await lanes.start('auditor').catch(async (error: unknown) => {
      await audit.stop(); // The start is tried again; only one may write the files.
      throw error;
    });
    const stop = async () => {
      await lanes.stop();
      await audit.stop();
    };
    const health = async () => [...(await lanes.health()), partHealth('audit files', audit.failure)];
    return { lanes: health, stop };
  },
});
