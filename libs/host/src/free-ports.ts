import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Where ports for servers are looked for: above those of well-known servers, below those that systems give to outgoing connections (Linux from 32768,
 * others from 49152). A server binds its port seconds after it was found free; in the range of the system, somebody's connection took it meanwhile.
 */
const LOWEST = 10_000;
const END = 32_768;

/** So many ports in a row that are free now. @throws when none are found. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const first = randomInt(LOWEST, END - count);
    let isFree = true;
    for (let port = first; port < first + count && isFree; port += 1) isFree = await isPortFree(port);
    if (isFree) return first;
  }
  throw new Error(`no ${count} free ports in a row from ${LOWEST} to ${END - 1}`);
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
