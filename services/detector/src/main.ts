import { LaneSet, serve } from '@flyball/host';
import { openKafkaLog } from '@flyball/log-kafka';
import { openDirectoryObjects } from '@flyball/objects-dir';
import { openS3Objects } from '@flyball/objects-s3';
import { Line } from '@flyball/runtime';
import { DetectorConfig, detectorSpecs } from './index.ts';

// The detector as a process: its lanes over Kafka, shared with all others of its kind.

await serve({
  name: 'detector',
  schema: DetectorConfig,
  drivers: { log: { kafka: openKafkaLog }, objects: { file: openDirectoryObjects, s3: openS3Objects } },
  start: async ({ config, host, log, objects, rawPartitions, logger }) => {
    const line = new Line({ lanes: host.lanes, rawPartitions, nodeVersion: process.version }, [config]);
    const lanes = new LaneSet(detectorSpecs(config, line), { log, objects }, logger);
    await lanes.start('detector');
    return { lanes: () => lanes.health(), stop: () => lanes.stop() };
  },
});
