import { HotSink, secretOf, serve } from '@flyball/host';
import { openKafkaLog } from '@flyball/log-kafka';
import { MemoryHotStore } from '@flyball/memory';
import { openDirectoryObjects } from '@flyball/objects-dir';
import { ApiProcessConfig, buildApi, ControlWriter, listenApi, ReadModel, recordPolicies } from './index.ts';

// The API as a process: what people and tools read, and where their words go on record.

await serve({
  name: 'api',
  schema: ApiProcessConfig,
  drivers: { log: { kafka: openKafkaLog }, objects: { file: openDirectoryObjects } },
  start: async ({ config, env, log, registry, logger }) => {
    const { policiesDir, ...at } = config;
    const words = new ControlWriter(log);
    if (policiesDir !== '') await recordPolicies(policiesDir, words, log);
    const hot = new MemoryHotStore();
    const sink = new HotSink({ log, hot }, logger);
    await sink.start();
    const model = new ReadModel(log, hot);
    await model.start();
    const state = { isStopping: false };
    const token = secretOf(env, 'FLYBALL_TOKEN');
    const lanes = async () => [];
    const app = await buildApi({ model, words, registry, token, lanes, isStopping: () => state.isStopping });
    const port = await listenApi(app, at);
    const stop = async () => {
      state.isStopping = true;
      await Promise.all([app.close(), model.stop(), sink.stop()]);
    };
    return { addresses: { api: `http://${at.host}:${port}` }, stop };
  },
});
