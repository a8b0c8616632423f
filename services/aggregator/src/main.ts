import { LaneSet, serve } from '@flyball/host';
import { openKafkaLog } from '@flyball/log-kafka';
import { openDirectoryObjects } from '@flyball/objects-dir';
import { Line } from '@flyball/runtime';
import { AggregatorConfig, aggregatorSpecs } from './index.ts';

// The aggregator as a process: its lanes over Kafka, shared with all others of its kind.

await serve({
  name: 'aggregator',
  schema: AggregatorConfig,
  drivers: { log: { kafka: openKafkaLog }, objects: { file: openDirectoryObjects } },
  start: async ({ config, host, log, objects, rawPartitions, logger }) => {
    const line = new Line({ lanes: host.lanes, rawPartitions, nodeVersion: process.version }, [config]);
    const lanes = new LaneSet(aggregatorSpecs(config, line), { log, objects }, logger);
    await lanes.start('aggregator');
    return { lanes: () => lanes.health(), stop: () => lanes.stop() };
  },
});
