import { freePorts } from '@flyball/host';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { ApiClient } from './api-client.ts';

// Goal: who knows that the API comes back waits for it, and what it may have heard is not said twice. Method: a server that comes
// late, or breaks off.

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function listen(port: number, listener: RequestListener): void {
  servers.push(createServer(listener).listen(port, '127.0.0.1'));
}

test.each(['GET', 'PUT'])('a patient %s waits for an API that is away', async (method) => {
  const port = await freePorts(1);
  const asked = new ApiClient(`http://127.0.0.1:${port}`, 't', { patienceMs: 10_000 }).request(
    method,
    '/v1/killswitch',
  );
  setTimeout(() => listen(port, (_request, response) => response.end('{"isPaused":true}')), 500);
  expect(await asked).toEqual({ isPaused: true });
});

test('an impatient one says at once that nobody answers', async () => {
  const client = new ApiClient(`http://127.0.0.1:${await freePorts(1)}`, 't');
  await expect(client.request('GET', '/v1/killswitch')).rejects.toThrow('no Flyball answers');
});

test.each([
  ['GET', 2],
  ['PUT', 1],
])('a %s whose connection breaks off reaches the API %i times', async (method, times) => {
  const port = await freePorts(1);
  let heard = 0;
  listen(port, (_request, response) => {
    heard += 1;
    if (heard === 1) response.destroy();
    else response.end('{}');
  });
  const client = new ApiClient(`http://127.0.0.1:${port}`, 't', { patienceMs: 10_000 });
  await client.request(method, '/v1/killswitch').catch(() => undefined);
  expect(heard).toBe(times);
});
