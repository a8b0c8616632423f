import { createServer, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { LaneHealth } from './lane-loop.ts';
import { type ListeningPort, listenOn } from './listen.ts';

/** What a process says of itself. */
interface HealthReport {
  readonly isReady: boolean;
  /** One word for people: `starting`, `running`, `stopping`. */
  readonly phase: string;
  readonly lanes: readonly LaneHealth[];
}

/** Where it listens, and what it tells. */
export interface HealthOptions {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  readonly report: () => Promise<HealthReport>;
}

/** Listens. @throws {UnavailableError} `PORT_TAKEN` */
export async function listenHealth({ host, port, registry, report }: HealthOptions): Promise<ListeningPort> {
  const server = createServer((request, response) => {
    // Not by way of a URL: of `//` none can be made, and who asks for it must not end the process.
    const [path = '', query = ''] = (request.url ?? '/').split('?', 2);
    const isVerbose = new URLSearchParams(query).has('verbose');
    void answer(path, isVerbose, response).catch(() => send(response, 500, { status: 'failed' }));
  });
  const hint = 'Stop what listens there, or choose another healthPort.';
  return listenOn(server, { host, port, taken: `cannot listen on ${port}`, hint });

  async function answer(path: string, isVerbose: boolean, response: ServerResponse): Promise<void> {
    if (path === '/livez' || path === '/healthz') return send(response, 200, { status: 'ok' });
    if (path === '/metrics') {
      const text = await registry.metrics();
      response.writeHead(200, { 'content-type': registry.contentType }).end(text);
      return;
    }
    if (path !== '/readyz') return send(response, 404, { status: 'not found' });
    const { isReady, ...more } = await report();
    send(response, isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', ...(isVerbose && more) });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
