import { buildApi, ControlWriter, listenApi, ReadModel } from '@flyball/api';
import { MemoryHotStore } from '@flyball/memory';
import { Agent, get } from 'node:http';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { HotLog } from '../hot/hot-log.ts';

// Goal: who stops Flyball does not wait for a console that asks something at that moment. Method: a client that keeps its connection
// for as long as it is let, and an answer that is given after the stop has begun.

test('a stop waits for answers, and not for those who were given them', async () => {
  const hotLog = new HotLog();
  await hotLog.create();
  const { log } = hotLog;
  const asked = Promise.withResolvers<void>();
  const known = Promise.withResolvers<[]>();
  const lanes = () => (asked.resolve(), known.promise);
  const app = await buildApi({
    model: new ReadModel(log, new MemoryHotStore()),
    words: new ControlWriter(log),
    registry: new Registry(),
    token: 'secret',
    lanes,
    isStopping: () => true,
  });
  const port = await listenApi(app, { host: '127.0.0.1', port: 0 });
  const agent = new Agent({ keepAlive: true });
  const answered = new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/readyz', agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
  await asked.promise;
  const closed = app.close();
  await expect.poll(() => app.server.listening).toBe(false);
  known.resolve([]);
  expect(await answered).toBe(503);
  await closed;
  agent.destroy();
});
