import { isToken, type ListeningPort, listenOn } from '@flyball/host';
import { createServer, type IncomingMessage } from 'node:http';
import type { ActuatorConfig } from './config.ts';
import type { KillSwitch } from './kill-switch.ts';

/**
 * The actuator's own port: `POST /pause` and `POST /resume` with a bearer token. The second road of the kill switch,
 * which needs neither the API nor the log.
 *
 * @throws {UnavailableError} `PORT_TAKEN`
 */
export async function listenControlPort(
  killSwitch: KillSwitch,
  config: ActuatorConfig,
  token: string,
): Promise<ListeningPort> {
  const server = createServer((request, response) => {
    const { status, code } = answer(killSwitch, request, token);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code }));
  });
  const { host, port } = config;
  return listenOn(server, { host, port, taken: `the actuator cannot listen on port ${port}` });
}

function answer(
  killSwitch: KillSwitch,
  { method, url, headers }: IncomingMessage,
  token: string,
): { status: number; code: string } {
  const isPause = url === '/pause';
  if (!isPause && url !== '/resume') return { status: 404, code: 'not_found' };
  if (method !== 'POST') return { status: 405, code: 'method_not_allowed' };
  if (!isToken(headers.authorization ?? '', `Bearer ${token}`)) return { status: 401, code: 'unauthorized' };
  killSwitch.pauseHere(isPause);
  return { status: 200, code: isPause ? 'paused' : 'resumed' };
}
