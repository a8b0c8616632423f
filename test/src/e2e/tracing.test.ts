import { FlyballProcess } from '@flyball/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

// Goal: who runs Flyball can watch it with what watches everything else. Method: one Flyball sends its own traces to another.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const SETTINGS = { FLYBALL_AGGREGATOR_WINDOW_MS: '1000', FLYBALL_AGGREGATOR_GRACE_MS: '500' };
let watcher: FlyballProcess;
let watched: FlyballProcess;
beforeAll(async () => {
  watcher = await FlyballProcess.start(BIN, SETTINGS);
  watched = await FlyballProcess.start(BIN, { FLYBALL_STANDALONE_TRACES_URL: watcher.addresses.otlpGrpc });
});
afterAll(async () => {
  await watched.stop();
  await watcher.stop();
});

interface Detail {
  readonly totals?: readonly { view: string; name: string; count: number }[];
}

test('its own requests show as those of any service', async () => {
  const id = '/v1/services/default:flyball-standalone';
  const operations = async () => {
    await watched.get('/v1/incidents');
    const { totals = [] } = await watcher.get<Detail>(id);
    return totals.filter(({ view }) => view === 'operation').map(({ name }) => name);
  };
  await expect.poll(operations, { timeout: 25_000, interval: 500 }).toContain('GET /v1/incidents');
});
