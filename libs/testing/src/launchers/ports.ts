import { createServer } from 'node:net';

/** So many ports in a row that are free now. @throws when none are found. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const first = await freePort(0);
    if (first === undefined || first + count > 65_535) continue;
    let isFree = true;
    for (let port = first + 1; port < first + count && isFree; port += 1) isFree = (await freePort(port)) !== undefined;
    if (isFree) return first;
  }
  throw new Error(`no ${count} free ports in a row`);
}

function freePort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
