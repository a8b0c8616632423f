import { HotSink, secretOf, serve } from '@flyball/host';
import { openRedisHotStore } from '@flyball/hot-redis';
import { openKafkaLog } from '@flyball/log-kafka';
import { MemoryHotStore } from '@flyball/memory';
import { openDirectoryObjects } from '@flyball/objects-dir';
import { openS3Objects } from '@flyball/objects-s3';
import {
  ApiProcessConfig,
  buildApi,
  builtConsole,
  ControlWriter,
  listenApi,
  ReadModel,
  recordPolicies,
} from './index.ts';

// The API as a process: what people and tools read, and where their words go on record.

await serve({
  name: 'api',
  schema: ApiProcessConfig,
  drivers: {
    log: { kafka: openKafkaLog },
    objects: { file: openDirectoryObjects, s3: openS3Objects },
    hot: { redis: openRedisHotStore, rediss: openRedisHotStore },
  },
  start: async ({ config, env, log, hot: shared, registry, logger }) => {
    const { policiesDir, consoleDir, warmupWindows, ...at } = config;
    const words = new ControlWriter(log);
    if (policiesDir !== '') await recordPolicies(policiesDir, words, log);
    // Without a hot store that all share this process fills its own; nobody else writes to it.
    const hot = shared ?? new MemoryHotStore();
    const sink = shared === undefined ? new HotSink({ log, hot }, logger) : undefined;
    await sink?.start();
    const model = new ReadModel(log, hot);
    await model.start();
    const state = { isStopping: false };
    const token = secretOf(env, 'FLYBALL_TOKEN');
    const lanes = async () => [];
    const console = builtConsole(consoleDir);
    const told = { console, lanes, warmupWindows, isStopping: () => state.isStopping };
    const app = await buildApi({ model, words, registry, token, ...told });
    const port = await listenApi(app, at);
    const stop = async () => {
      state.isStopping = true;
      await Promise.all([app.close(), model.stop(), sink?.stop()]);
    };
    return { addresses: { api: `http://${at.host}:${port}` }, stop };
  },
});
