import { buildApi, ControlWriter, ReadModel } from '@flyball/api';
import { controlCodec } from '@flyball/contracts';
import { utf8 } from '@flyball/core';
import { MemoryHotStore, MemoryLog } from '@flyball/memory';
import { createTopics, PROVENANCE_HEADER } from '@flyball/runtime';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';

// Goal: what is shown goes on whatever one record is, and wherever the log begins by now. Method: a log in memory.

const CONTROL = { topic: 'flyball.control', partition: 0 };
const stop = { type: 'pause', tenant: 'default', actor: 'cli', reason: 'stop', wordId: 'w-1' } as const;
const pause = controlCodec.encode(stop);

async function newLog(): Promise<MemoryLog> {
  const log = new MemoryLog(Date.now);
  await createTopics(log, { lanes: 1, rawPartitions: 1 });
  return log;
}
const say = (log: MemoryLog, value: Uint8Array) => log.append(CONTROL, [{ key: 'default', headers: {}, value }]);

test('a word of a later release, or of nobody knows whom, is passed over, and those after it are heard', async () => {
  const log = await newLog();
  await say(log, utf8('{"type":"dance","tenant":"default","actor":"cli","wordId":"w-0"}'));
  const value = controlCodec.encode({ ...stop, reason: 'by whom?' });
  const unknown = { key: 'default', headers: { [PROVENANCE_HEADER]: 'none' }, value };
  await log.append(CONTROL, [unknown]);
  await say(log, pause);
  await log.append(CONTROL, [unknown]);
  const model = new ReadModel(log, new MemoryHotStore());
  await model.start();
  await expect.poll(() => model.isBehind).toBe(false);
  expect(model.killSwitch.get('default')).toMatchObject({ isPaused: true, reason: 'stop' });
  await model.stop();
});

test('what was trimmed between two looks at the log is passed over', async () => {
  class TrimmedLog extends MemoryLog {
    override async range(of: typeof CONTROL) {
      const range = await super.range(of);
      if (of.topic === CONTROL.topic && range.startOffset === 0) await this.trim(of, 1);
      return range;
    }
  }
  const log = new TrimmedLog(Date.now);
  await createTopics(log, { lanes: 1, rawPartitions: 1 });
  await say(log, pause);
  await say(log, pause);
  const model = new ReadModel(log, new MemoryHotStore());
  await model.start();
  await expect.poll(() => model.isBehind).toBe(false);
  expect(model.killSwitch.get('default')?.isPaused).toBe(true);
  await model.stop();
});

test('while it is not known yet what was said, the kill switch says so, and who follows is told when to look again', async () => {
  const opened = Promise.withResolvers<void>();
  class SlowLog extends MemoryLog {
    override async read(...args: Parameters<MemoryLog['read']>) {
      if (args[0].topic === CONTROL.topic) await opened.promise;
      return super.read(...args);
    }
  }
  const log = new SlowLog(Date.now);
  await createTopics(log, { lanes: 1, rawPartitions: 1 });
  await say(log, pause);
  const model = new ReadModel(log, new MemoryHotStore());
  await model.start();
  const rest = { registry: new Registry(), token: 'secret', lanes: async () => [], isStopping: () => false };
  const app = await buildApi({ model, words: new ControlWriter(log), ...rest });
  const killSwitch = async () => {
    const response = await app.inject({ url: '/v1/killswitch', headers: { authorization: 'Bearer secret' } });
    return response.json() as unknown;
  };
  expect(await killSwitch()).toMatchObject({ atMs: null, isRebuilding: true });
  const events: string[] = [];
  model.feed.follow(({ event }) => events.push(event));
  opened.resolve();
  await expect.poll(() => model.isBehind).toBe(false);
  expect(await killSwitch()).toMatchObject({ isPaused: true, reason: 'stop', isRebuilding: false });
  expect(events).toEqual(['reset']);
  await Promise.all([model.stop(), app.close()]);
});
