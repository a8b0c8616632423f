import { createLogger, type ListeningPort } from '@flyball/host';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { listenNotifierPort, Notifier, NotifierConfig } from '@flyball/notifier';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connection } from './news.ts';
import { Receiver } from './receiver.ts';

// Goal: whoever may operate Flyball sees and tries its connections, and nobody else makes it send or learns where it sends to.
// Method: the notifier's own port, asked with and without its token.

let port: ListeningPort;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.open();
  const config = NotifierConfig.parse({});
  const notifier = new Notifier(config, {
    ...{ log: new MemoryLog(Date.now), objects: new MemoryObjects(), registry: new Registry() },
    logger: createLogger('silent'),
    connections: {
      connections: [connection('slack', `${receiver.url}/services/T0/B0/very-secret`)],
      deadman: undefined,
    },
  });
  port = await listenNotifierPort(notifier, config, 'the-token');
});
afterAll(async () => {
  await port.close();
  await receiver.close();
});

const ask = async (method: string, path: string, token = 'the-token') => {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://127.0.0.1:${port.port}${path}`, { method, headers });
  return { status: response.status, text: await response.text() };
};

test('it lists connections, and does not tell addresses that are secrets', async () => {
  const { status, text } = await ask('GET', '/connections');
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ items: [{ name: 'to-slack', kind: 'slack', state: 'ok' }], reasons: [] });
  expect(text).not.toContain('very-secret');
});

test('it sends a test, and tells what was answered', async () => {
  expect(JSON.parse((await ask('POST', '/connections/to-slack/test')).text)).toMatchObject({ ok: true, status: 200 });
  expect(receiver.received.map(({ path }) => path)).toEqual(['/services/T0/B0/very-secret']);
});

test.each([
  ['a wrong token', 'POST', '/connections/to-slack/test', 'another', 401],
  ['no token', 'GET', '/connections', '', 401],
  ['a connection that is not there', 'POST', '/connections/nobody/test', 'the-token', 404],
  ['another path', 'POST', '/connections', 'the-token', 404],
  ['a look where something would be sent', 'GET', '/connections/to-slack/test', 'the-token', 404],
] as const)('%s is refused, and nothing is sent', async (_what, method, path, token, status) => {
  const before = receiver.received.length;
  expect((await ask(method, path, token)).status).toBe(status);
  expect(receiver.received.length).toBe(before);
});
