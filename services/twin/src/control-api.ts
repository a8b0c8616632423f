import { createServer, type IncomingMessage, type Server } from 'node:http';
import { z } from 'zod';
import { Order, ReleaseOrder } from './orders.ts';
import type { Twin } from './twin.ts';

const BODY_BYTES_MAX = 64 * 1024;

const Deploy = z.strictObject({
  service: z.string(),
  version: z.string(),
  errorRatio: z.number().min(0).max(1).optional(),
  slowness: z.number().positive().optional(),
});
const Fault = z.strictObject({
  service: z.string(),
  version: z.string(),
  errorRatio: z.number().min(0).max(1).optional(),
  slowness: z.number().positive().optional(),
});
const OpenShop = z.strictObject({ environment: z.string(), seed: z.int() });
const Darkness = z.strictObject({ isDark: z.boolean() });
interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/**
 * The twin's HTTP API: the rollout controller that an actuator talks to (`/rollouts`), and the switches of a
 * story (`/shops`). For this machine only.
 */
export function controlApi(twin: Twin): Server {
  return createServer((request, response) => {
    void answer(twin, request)
      .catch((error: unknown) => ({ status: 400, body: { code: 'bad_request', message: String(error) } }))
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      });
  });
}

async function answer(twin: Twin, request: IncomingMessage): Promise<Reply> {
  const [kind, environment = '', name = '', verb = ''] = (request.url ?? '')
    .slice(1)
    .split('/')
    .map(decodeURIComponent);
  const route = `${request.method} ${kind}`;
  const body: unknown = request.method === 'POST' ? JSON.parse(await textOf(request)) : undefined;
  if (route === 'POST shops' && environment === '') {
    const { environment: opened, seed } = OpenShop.parse(body);
    return ok(twin.openShop(opened, seed));
  }
  const shop = twin.shop(environment);
  if (shop === undefined) return missing(`no environment ${environment}`);
  if (route === 'GET attempts') return ok(shop.rollouts.attempts());
  if (route === 'POST shops' && name === 'deploy') return ok(await twin.deploy(environment, Deploy.parse(body)));
  if (route === 'POST shops' && name === 'faults') return ok(twin.addFault(environment, Fault.parse(body)));
  if (route === 'POST shops' && name === 'darkness') {
    shop.isDark = Darkness.parse(body).isDark;
    return ok({});
  }
  const rollout = shop.rollouts.read(name, Date.now());
  if (kind !== 'rollouts' || rollout === undefined) return missing('no such path');
  if (request.method === 'GET' && verb === '') return ok(rollout);
  if (request.method !== 'POST') return missing('no such path');
  const done =
    verb === 'release'
      ? await twin.release(environment, name, ReleaseOrder.parse(body))
      : await twin.obey(environment, name, Order.parse({ verb, ...(body as object) }));
  if (done.ok) return ok({ before: done.before, after: done.after });
  return { status: 409, body: { code: done.code, message: done.message } };
}

const ok = (body: unknown): Reply => ({ status: 200, body });
const missing = (message: string): Reply => ({ status: 404, body: { code: 'not_found', message } });

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new Error('body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
