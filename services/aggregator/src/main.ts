import { HotSink, LaneSet, serve } from '@flyball/host';
import { openRedisHotStore } from '@flyball/hot-redis';
import { openKafkaLog } from '@flyball/log-kafka';
import { openDirectoryObjects } from '@flyball/objects-dir';
import { openS3Objects } from '@flyball/objects-s3';
import { Line } from '@flyball/runtime';
import { AggregatorConfig, aggregatorSpecs } from './index.ts';

// The aggregator as a process: its lanes over Kafka, shared with all others of its kind, and the sink into the hot store.

await serve({
  name: 'aggregator',
  schema: AggregatorConfig,
  drivers: {
    log: { kafka: openKafkaLog },
    objects: { file: openDirectoryObjects, s3: openS3Objects },
    hot: { redis: openRedisHotStore, rediss: openRedisHotStore },
  },
  start: async ({ config, host, log, objects, hot, rawPartitions, logger }) => {
    const line = new Line({ lanes: host.lanes, rawPartitions, nodeVersion: process.version }, [config]);
    const lanes = new LaneSet(aggregatorSpecs(config, line), { log, objects }, logger);
    await lanes.start('aggregator');
    const sink = hot && new HotSink({ log, hot }, logger);
    await sink?.start('hot');
    const stop = async () => {
      await Promise.all([lanes.stop(), sink?.stop()]);
    };
    return { lanes: () => lanes.health(), stop };
  },
});
