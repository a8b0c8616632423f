import { createServer, type IncomingMessage, type Server } from 'node:http';
import { z } from 'zod';
import { Order, ReleaseOrder } from './orders.ts';
import type { Shop } from './shop.ts';
import type { Twin } from './twin.ts';

const BODY_BYTES_MAX = 64 * 1024;

const Fault = z.strictObject({
  service: z.string(),
  version: z.string(),
  instance: z.string().optional(),
  errorRatio: z.number().min(0).max(1).optional(),
  slowness: z.number().positive().optional(),
});
const Deploy = Fault.extend({ canaryRatio: z.number().gt(0).max(1).optional() });
const OpenShop = z.strictObject({
  environment: z.string(),
  seed: z.int(),
  requestsPerSecond: z.number().positive().optional(),
});
const Service = z.strictObject({ service: z.string() });
const Storm = z.strictObject({
  capacityPerSecond: z.number().positive(),
  queueMax: z.int().positive(),
  timeoutMs: z.number().positive(),
  retriesMax: z.int().min(0),
  spikeRatio: z.number().positive(),
  spikeMs: z.number().positive(),
});

/** What a story can do to a shop: `POST /shops/<environment>/<name>`. */
const SWITCHES = new Map<string, (shop: Shop, body: unknown) => void>(
  Object.entries<(shop: Shop, body: unknown) => void>({
    darkness: (shop, body) => void (shop.isDark = z.strictObject({ isDark: z.boolean() }).parse(body).isDark),
    traffic: (shop, body) => void (shop.trafficRatio = z.strictObject({ ratio: z.number().min(0) }).parse(body).ratio),
    faults: (shop, body) => shop.faults.add(Fault.parse(body)),
    links: (shop, body) =>
      shop.faults.addLink(z.strictObject({ caller: z.string(), callee: z.string(), addedMs: z.number() }).parse(body)),
    down: (shop, body) => shop.faults.down(Service.parse(body).service),
    heal: (shop, body) => shop.faults.heal(Service.parse(body).service),
    overload: (shop, body) => shop.overload(Storm.parse(body)),
  }),
);

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
    const { environment: opened, seed, requestsPerSecond } = OpenShop.parse(body);
    return ok(twin.openShop(opened, seed, requestsPerSecond));
  }
  const shop = twin.shop(environment);
  if (shop === undefined) return missing(`no environment ${environment}`);
  if (route === 'GET attempts') return ok(shop.rollouts.attempts());
  if (route === 'GET instances') return ok(shop.instances(Date.now()));
  if (route === 'POST shops' && name === 'deploy') return ok(await twin.deploy(environment, Deploy.parse(body)));
  const change = SWITCHES.get(name);
  if (route === 'POST shops' && change !== undefined) {
    change(shop, body);
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
