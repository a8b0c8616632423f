import { isToken, type ListeningPort, listenOn } from '@flyball/host';
import { createServer, type IncomingMessage } from 'node:http';
import type { NotifierConfig } from './config.ts';
import type { Notifier } from './notifier.ts';

const TEST_PATH = /^\/connections\/([a-z0-9-]+)\/test$/;

/**
 * The notifier's own port, with a bearer token: `GET /connections` lists, `POST /connections/NAME/test` sends one test notification.
 *
 * @throws {UnavailableError} `PORT_TAKEN`
 */
export async function listenNotifierPort(
  notifier: Notifier,
  { host, port }: NotifierConfig,
  token: string,
): Promise<ListeningPort> {
  const server = createServer((request, response) => {
    const send = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    answer(notifier, request, token).then(
      ({ status, body }) => send(status, body),
      () => send(500, { code: 'UNEXPECTED', detail: 'the notifier failed' }),
    );
  });
  const hint = 'Stop what listens there, or choose another port in the configuration.';
  return listenOn(server, { host, port, taken: `the notifier cannot listen on port ${port}`, hint });
}

async function answer(
  notifier: Notifier,
  { method, url = '', headers }: IncomingMessage,
  token: string,
): Promise<{ readonly status: number; readonly body: object }> {
  if (!isToken(headers.authorization ?? '', `Bearer ${token}`))
    return { status: 401, body: { code: 'UNAUTHORIZED', detail: 'no valid bearer token' } };
  if (method === 'GET' && url === '/connections')
    return { status: 200, body: { items: await notifier.states(), reasons: notifier.reasons } };
  const name = TEST_PATH.exec(url)?.[1];
  if (method !== 'POST' || name === undefined)
    return { status: 404, body: { code: 'NOT_FOUND', detail: 'no such path' } };
  const tried = await notifier.test(name);
  if (tried !== undefined) return { status: 200, body: tried };
  const fix = '"flyball connections" lists all.';
  return { status: 404, body: { code: 'NOT_FOUND', detail: `there is no connection ${name}`, fix } };
}
