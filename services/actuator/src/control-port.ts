import { UnavailableError } from '@flyball/core';
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { ActuatorConfig } from './config.ts';
import type { KillSwitch } from './kill-switch.ts';

/** The actuator's own port, while it listens. */
export interface ControlPort {
  readonly port: number;
  close(): Promise<void>;
}

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
): Promise<ControlPort> {
  const server = createServer((request, response) => {
    const { status, code } = answer(killSwitch, request, token);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new UnavailableError('PORT_TAKEN', `the actuator cannot listen on port ${config.port}`, { cause }));
    });
    server.listen(config.port, config.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : config.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  killSwitch: KillSwitch,
  { method, url, headers }: IncomingMessage,
  token: string,
): { status: number; code: string } {
  const isPause = url === '/pause';
  if (!isPause && url !== '/resume') return { status: 404, code: 'not_found' };
  if (method !== 'POST') return { status: 405, code: 'method_not_allowed' };
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token}`)))
    return { status: 401, code: 'unauthorized' };
  killSwitch.pauseHere(isPause);
  return { status: 200, code: isPause ? 'paused' : 'resumed' };
}
