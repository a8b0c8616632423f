import { request } from 'node:http';
import { Gauge, Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listenHealth } from './health-server.ts';
import type { ListeningPort } from './listen.ts';

// Goal: nothing that somebody asks of the health port ends the process. Method: questions that no URL can be made of, and metrics
// that cannot be read; vitest fails on what nobody catches.

let registry: Registry;
let health: ListeningPort;

beforeEach(async () => {
  registry = new Registry();
  const report = async () => ({ isReady: true, phase: 'running', lanes: [] });
  health = await listenHealth({ host: '127.0.0.1', port: 0, registry, report });
});
afterEach(() => health.close());

const statusOf = (path: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: health.port, path, timeout: 5_000 }, (response) => {
      resolve(response.resume().statusCode);
    });
    asked.on('error', reject).on('timeout', () => asked.destroy(new Error('no answer')));
    asked.end();
  });

test.each(['//', '///metrics', '//[', '/%'])('%s is not found, and asked again all is well', async (path) => {
  expect(await statusOf(path)).toBe(404);
  expect(await statusOf('/readyz')).toBe(200);
});

test('metrics that cannot be read are an error of that question alone', async () => {
  const collect = async () => {
    throw new Error('planted: the log is away');
  };
  new Gauge({ name: 'of_the_log', help: 'Asks the log.', registers: [registry], collect });
  expect(await statusOf('/metrics')).toBe(500);
  expect(await statusOf('/livez')).toBe(200);
});
