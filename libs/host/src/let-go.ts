import type { Server, ServerResponse } from 'node:http';

const LOOK_MS = 50;

/** How long answers under way may hold up a server that closes, ms. */
export const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Has those let go who keep connections to a server that closes: with the answer that they wait for, or that they are given meanwhile,
 * and after `patienceMs` whoever is still there. Node itself closes connections that are idle at that moment, and waits for the others
 * until their clients have had enough, which may take minutes.
 *
 * Call it right before `server.close()`.
 *
 * @param patienceMs - how long answers may take.
 */
export function letGo(server: Server, patienceMs = CLOSE_TIMEOUT_MS): void {
  if (!server.listening) return;
  server.prependListener('request', (_, response: ServerResponse) => response.setHeader('connection', 'close'));
  const look = setInterval(() => server.closeIdleConnections(), LOOK_MS);
  const end = setTimeout(() => server.closeAllConnections(), patienceMs);
  server.once('close', () => {
    clearInterval(look);
    clearTimeout(end);
  });
}
